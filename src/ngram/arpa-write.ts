import type { NgramTable } from "./table.ts";
import { levels } from "./trie.ts";

/**
 * A model in the ARPA format, line by line. The numbers have 9 digits, which is what it takes to read float32 back as it
 * was. `spelling` has the words, `<s>` as the last.
 */
export function* arpaLines(table: NgramTable, spelling: readonly string[]): Generator<string> {
  const { sizes, logProbs, backoffs, first } = table;
  yield "\\data\\\n";
  for (const [i, size] of sizes.entries()) yield `ngram ${i + 1}=${size}\n`;
  const starts = levels(sizes);
  for (let n = 1; n <= sizes.length; n++) {
    yield `\n\\${n}-grams:\n`;
    for (const { words, node } of ngrams(table, n, starts)) {
      let line = `${digits(logProbs[node]!)}\t${spelling[words[0]!]}`;
      for (let i = 1; i < n; i++) line += ` ${spelling[words[i]!]}`;
      const hasBackoff = n < sizes.length && (backoffs[node] !== 0 || first[node]! < first[node + 1]!);
      yield hasBackoff ? `${line}\t${digits(backoffs[node]!)}\n` : `${line}\n`;
    }
  }
  yield "\n\\end\\\n";
}

const digits = (value: number) => String(Number(value.toPrecision(9)));

/** The n-grams of an order; the array of words is used again. */
function* ngrams({ first, words }: NgramTable, n: number, starts: readonly number[]) {
  const path = Int32Array.from({ length: n }, (_, i) => starts[i + 1]!);
  const ngram = { words: new Int32Array(n), node: 0 };
  for (let node = starts[n]!; node < starts[n + 1]!; node++) {
    path[n - 1] = node;
    // The nodes come in order, and so do those that they hang from.
    for (let i = n - 2; i >= 0; i--) while (first[path[i]! + 1]! <= path[i + 1]!) path[i]!++;
    for (let i = 0; i < n; i++) ngram.words[i] = words[path[i]!]!;
    ngram.node = node;
    yield ngram;
  }
}
