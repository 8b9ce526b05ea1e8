import type { NgramCounts } from "./count.ts";
import { levels, linkSuffixes, type Trie } from "./trie.ts";

/** What is taken from n-grams whose count is one, two, three or more. */
export interface Discounts {
  values: [once: number, twice: number, more: number];
  /** Whether they follow from the counts; where those allow none, they are 0.5, 1 and 1.5. */
  estimated: boolean;
}

/** Probabilities in the form of a back-off model: P(w | h) where h w is listed, else weight(h) · P(w | h without its first). */
export interface BackoffModel extends Trie {
  /** Of each node but 0 and `<s>`. */
  readonly probabilities: Float64Array;
  /** Of each node below the highest order. */
  readonly weights: Float64Array;
}

/**
 * Modified Kneser–Ney, interpolated (Chen and Goodman 1998, section 4.1.6). With a(h w) how often an n-gram occurs if it
 * is of the highest order or begins with `<s>`, else how many different words it occurs after,
 *
 *     P(w | h) = (a(h w) − D(a(h w))) / Σ a(h ·)  +  γ(h) · P(w | h without its first word)
 *
 * and 1/V below order 1. γ(h) is what the discounts leave over, so that all sums to 1. D for counts of 1, 2, and 3 or
 * more follows, order by order, from how many n-grams have the counts 1 to 4 (eq. 26). N-grams of order n that occur less
 * than `minCount[n − 1]` times are left out once all is counted; what they had is left over too.
 */
export function kneserNey(
  counts: NgramCounts,
  minCount: readonly number[] = [],
): { model: BackoffModel; discounts: Discounts[] } {
  const { vocabularySize, sizes, words, first, occurrences } = counts;
  const starts = levels(sizes);
  const suffixes = linkSuffixes(counts, words.length);
  const adjusted = adjustedCounts(counts, suffixes);
  const discounts: Discounts[] = [];
  const probabilities = new Float64Array(words.length);
  const weights = new Float64Array(first.length - 1);
  for (let n = 1; n <= sizes.length; n++) {
    const least = minCount[n - 1] ?? 1;
    const discounted = estimateDiscounts(adjusted.subarray(starts[n], starts[n + 1]));
    const { values } = discounted;
    discounts.push(discounted);
    for (let context = starts[n - 1]!; context < starts[n]!; context++) {
      const [from, to] = [first[context]!, first[context + 1]!];
      let sum = 0;
      let left = 0;
      for (let node = from; node < to; node++) {
        const count = adjusted[node]!;
        sum += count;
        left += n > 1 && occurrences[node]! < least ? count : discount(values, count);
      }
      const weight = sum > 0 ? left / sum : 1;
      weights[context] = weight;
      for (let node = from; node < to; node++) {
        const count = adjusted[node]!;
        const own = sum > 0 ? (count - discount(values, count)) / sum : 0;
        probabilities[node] = own + weight * (n > 1 ? probabilities[suffixes[node]!]! : 1 / vocabularySize);
      }
    }
  }
  probabilities[1 + vocabularySize] = 0;
  const model = { vocabularySize, sizes, words, first, probabilities, weights };
  return {
    model: minCount.some((least) => least > 1) ? keepFrequent(model, counts, minCount) : model,
    discounts,
  };
}

/** a(h w) of each node; 0 of `<s>`, which is never predicted. */
function adjustedCounts(
  { sizes, words, first, vocabularySize, occurrences }: NgramCounts,
  suffixes: Int32Array,
) {
  const starts = levels(sizes);
  const adjusted = new Uint32Array(words.length);
  for (let node = starts[2]!; node < words.length; node++) adjusted[suffixes[node]!]!++;
  // `<s>` is the last word: what begins with it stands at the end of each level.
  let from = 1 + vocabularySize;
  for (let n = 1; n <= sizes.length; n++) {
    const begin = n === sizes.length ? starts[n]! : from;
    adjusted.set(occurrences.subarray(begin, starts[n + 1]), begin);
    if (n < sizes.length) from = first[from]!;
  }
  adjusted[1 + vocabularySize] = 0;
  return adjusted;
}

function estimateDiscounts(adjusted: Uint32Array): Discounts {
  const n = [0, 0, 0, 0, 0];
  for (const count of adjusted) if (count < n.length) n[count]!++;
  const [, n1, n2, n3, n4] = n as [number, number, number, number, number];
  const y = n1 / (n1 + 2 * n2);
  const values: Discounts["values"] = [1 - (2 * y * n2) / n1, 2 - (3 * y * n3) / n2, 3 - (4 * y * n4) / n3];
  const estimated = values.every((value, i) => value > 0 && value <= i + 1);
  return { values: estimated ? values : [0.5, 1, 1.5], estimated };
}

function discount(values: Discounts["values"], count: number): number {
  return count === 0 ? 0 : values[Math.min(count, 3) - 1]!;
}

/** The model without its rare n-grams. What one of them begins or ends with is not rarer, and stays. */
function keepFrequent(
  model: BackoffModel,
  { occurrences }: NgramCounts,
  minCount: readonly number[],
): BackoffModel {
  const { vocabularySize, first } = model;
  const starts = levels(model.sizes);
  const sizes = model.sizes.map(() => 0);
  const kept = new Int32Array(model.words.length);
  let count = 1;
  for (let n = 1; n <= sizes.length; n++) {
    for (let node = starts[n]!; node < starts[n + 1]!; node++) {
      if (n > 1 && occurrences[node]! < (minCount[n - 1] ?? 1)) continue;
      kept[count++] = node;
      sizes[n - 1]!++;
    }
  }
  const inner = levels(sizes)[sizes.length]!;
  const select = <T extends Int32Array | Float64Array>(from: T, to: T): T =>
    to.map((_, i) => from[kept[i]!]!) as T;
  const words = select(model.words, new Int32Array(count));
  const firstKept = new Int32Array(inner + 1).fill(count);
  for (let node = 0, child = 1; node < inner; node++) {
    while (child < count && kept[child]! < first[kept[node]!]!) child++;
    firstKept[node] = child;
  }
  return {
    vocabularySize,
    sizes,
    words,
    first: firstKept,
    probabilities: select(model.probabilities, new Float64Array(count)),
    weights: select(model.weights, new Float64Array(inner)),
  };
}
