import { Metric, type MetricScore } from "./metric.ts";
import { ngramCounts } from "./ngram-counts.ts";
import { words as wordsOf } from "./whitespace.ts";

/** The longest n-grams. */
const ORDERS = 4;
/** The deviation of the Gaussian that punishes another length. */
const SIGMA = 6;

/** A sentence's n-grams by order, weighted by how rare they are. */
interface Weighted {
  orders: Map<string, number>[];
  norms: number[];
  /** How many bigrams it has: what the COCO caption evaluation takes for its length. */
  length: number;
}

/**
 * CIDEr-D (Vedantam et al. 2015, §7) as the COCO caption evaluation has it. With g(s) the n-grams of a sentence, each
 * counted and times ln(images / images in whose references it is),
 *
 *     CIDEr-D = 10/m · Σ_j mean_n e^(−(l(c) − l(s_j))² / 2σ²) · min(g_n(c), g_n(s_j))·g_n(s_j) / (‖g_n(c)‖ ‖g_n(s_j)‖)
 *
 * for n = 1 … 4 and σ = 6, and the mean over images; here a hundred times that, as papers print it. How rare an n-gram is
 * is learnt from the references of the whole corpus, so that it is nothing for a single image. Words are what stands
 * between blanks, unstemmed. Statistics of a sentence: its score, 1.
 */
export class CiderD extends Metric {
  readonly #images: number;
  /** In the references of how many images an n-gram is. */
  readonly #frequencies = new Map<string, number>();

  /** `references` holds one list a reference, each of them as long as there are images. */
  constructor(references: readonly (readonly string[])[]) {
    super();
    this.#images = references[0]?.length ?? 0;
    for (let i = 0; i < this.#images; i++) {
      const seen = new Set<string>();
      for (const list of references) {
        for (const order of ngramCounts(wordsOf(list[i]!), ORDERS, " "))
          for (const ngram of order.keys()) seen.add(ngram);
      }
      for (const ngram of seen) this.#frequencies.set(ngram, (this.#frequencies.get(ngram) ?? 0) + 1);
    }
  }

  statistics(hypothesis: string, references: readonly string[]): number[] {
    const own = this.#weigh(hypothesis);
    let sum = 0;
    for (const reference of references) {
      const other = this.#weigh(reference);
      const gaussian = Math.exp(-((own.length - other.length) ** 2) / (2 * SIGMA ** 2));
      for (let n = 0; n < ORDERS; n++) {
        const norm = own.norms[n]! * other.norms[n]!;
        if (norm === 0) continue;
        let product = 0;
        for (const [ngram, weight] of own.orders[n]!) {
          const theirs = other.orders[n]!.get(ngram) ?? 0;
          product += Math.min(weight, theirs) * theirs;
        }
        sum += (gaussian * product) / norm / ORDERS;
      }
    }
    return [(10 * sum) / references.length, 1];
  }

  score(statistics: readonly number[]): MetricScore {
    const [sum, sentences] = statistics as [number, number];
    return { name: "CIDEr-D", score: (100 * sum) / sentences };
  }

  #weigh(sentence: string): Weighted {
    const words = wordsOf(sentence);
    const orders = ngramCounts(words, ORDERS, " ").map(
      (counts) =>
        new Map(
          [...counts].map(([ngram, count]) => {
            const frequency = Math.max(1, this.#frequencies.get(ngram) ?? 0);
            return [ngram, count * Math.log(this.#images / frequency)];
          }),
        ),
    );
    const norms = orders.map((weights) => Math.sqrt([...weights.values()].reduce((s, w) => s + w * w, 0)));
    return { orders, norms, length: Math.max(0, words.length - 1) };
  }

  protected settings(): string[] {
    return [`n:${ORDERS}`, `sigma:${SIGMA}`];
  }
}
