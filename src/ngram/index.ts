export { type NgramColumns, NgramTable } from "./table.ts";
export type { Trie } from "./trie.ts";
