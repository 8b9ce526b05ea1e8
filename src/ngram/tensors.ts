import { FormatError } from "../errors.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { type NgramColumns, NgramTable } from "./table.ts";
import { levels } from "./trie.ts";

/** A table's numbers by name, as a file keeps them. What follows from them is left out. */
export function tableTensors({ words, first, logProbs, backoffs }: NgramTable): Map<string, Tensor> {
  return new Map([
    ["words", tensor(words)],
    ["first", tensor(first)],
    ["log_probs", tensor(logProbs)],
    ["backoffs", tensor(backoffs)],
  ]);
}

/** The table of these numbers, none of which is trusted. */
export function tableOf(
  tensors: ReadonlyMap<string, Tensor>,
  { vocabularySize, sizes }: Pick<NgramColumns, "vocabularySize" | "sizes">,
  where: string,
): NgramTable {
  const starts = levels(sizes);
  const nodes = starts.at(-1)!;
  const inner = starts.at(-2)!;
  const read = (name: string, dtype: "int32" | "float32", length: number) => {
    const values = tensors.get(name);
    if (values?.dtype !== dtype || values.size !== length) {
      const got = values ? `${values.dtype} of ${values.size}` : "nothing";
      throw new FormatError(`${where}: tensor ${name} must be ${dtype} of ${length}, got ${got}`);
    }
    return values.toArray();
  };
  const columns = {
    vocabularySize,
    sizes,
    words: read("words", "int32", nodes) as Int32Array,
    first: read("first", "int32", inner + 1) as Int32Array,
    logProbs: read("log_probs", "float32", nodes) as Float32Array,
    backoffs: read("backoffs", "float32", inner) as Float32Array,
  };
  checkTrie(columns, where);
  for (const [name, most] of [
    ["logProbs", 0],
    ["backoffs", 99],
  ] as const) {
    const bad = columns[name].findIndex((value) => !(value <= most && value >= -1e6));
    if (bad >= 0)
      throw new FormatError(`${where}: ${name} ${bad} must be a logarithm, got ${columns[name][bad]}`);
  }
  return new NgramTable(columns);
}

/** Every node but the first is the child of one node, of the level above; children are in the order of their words. */
function checkTrie({ vocabularySize, sizes, words, first }: NgramColumns, where: string): void {
  const starts = levels(sizes);
  const bad = (what: string, node: number) => new FormatError(`${where}: node ${node}: ${what} out of order`);
  for (let n = 0; n < sizes.length; n++) {
    if (first[starts[n]!] !== starts[n + 1]) throw bad("its children are", starts[n]!);
    for (let node = starts[n]!; node < starts[n + 1]!; node++) {
      const [from, to] = [first[node]!, first[node + 1]!];
      if (to < from || to > starts[n + 2]!) throw bad("its children are", node);
      for (let child = from; child < to; child++) {
        const word = words[child]!;
        const expected = n === 0 ? child - 1 : word;
        const after = child === from || words[child - 1]! < word;
        if (word !== expected || !after || word < 0 || word > vocabularySize) throw bad("its word is", child);
      }
    }
  }
}
