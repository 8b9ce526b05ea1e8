export type { Batches } from "./batches.ts";
export { ByteTokenizer } from "./text/byte-tokenizer.ts";
export { CharTokenizer } from "./text/char-tokenizer.ts";
export { type LanguageModelBatch, LanguageModelBatches } from "./text/stream-batches.ts";
export { decodeText, normalizeText, splitText } from "./text/text.ts";
export type { TokenDecoder, Tokenizer, Unit } from "./text/tokenizer.ts";
export { tokenizerFromJSON } from "./text/tokenizer-json.ts";
export { type VocabularyOptions, type WordOptions, WordTokenizer } from "./text/word-tokenizer.ts";
export type { WordSplit } from "./text/words.ts";
