import * as v from "valibot";
import { checkOptions, recordOf, type SchemasOf, trueOrFalse } from "../options.ts";
import { translationEdits } from "./edit-rate.ts";
import { Metric, type MetricScore } from "./metric.ts";
import { trimEnd, words } from "./whitespace.ts";

export interface TerOptions {
  /** Set marks apart before words are compared. Default false. */
  normalized?: boolean;
  /** Leave marks out. Default false. */
  noPunct?: boolean;
  /** With normalized: Chinese and Japanese by characters; with noPunct: without their marks. Default false. */
  asianSupport?: boolean;
  /** Default false. */
  caseSensitive?: boolean;
}

export interface TerScore extends MetricScore {
  edits: number;
  /** Of several references, their mean. */
  referenceLength: number;
}

const schema = recordOf({
  normalized: v.optional(trueOrFalse(), false),
  noPunct: v.optional(trueOrFalse(), false),
  asianSupport: v.optional(trueOrFalse(), false),
  caseSensitive: v.optional(trueOrFalse(), false),
} satisfies SchemasOf<TerOptions>);

/**
 * Translation edit rate (Snover et al. 2006): the fewest edits to a reference, per word of the references, in per cent.
 * Statistics of a sentence: edits, and the references' mean length.
 */
export class TER extends Metric<TerScore> {
  readonly #options: v.InferOutput<typeof schema>;

  constructor(options: TerOptions = {}) {
    super();
    this.#options = checkOptions("TER", schema, options);
  }

  statistics(hypothesis: string, references: readonly string[]): number[] {
    const tokens = this.#tokens(hypothesis);
    const others = references.map((reference) => this.#tokens(reference));
    const fewest = Math.min(...others.map((reference) => translationEdits(tokens, reference)));
    return [fewest, others.reduce((sum, { length }) => sum + length, 0) / others.length];
  }

  score(statistics: readonly number[]): TerScore {
    const [edits, referenceLength] = statistics as [number, number];
    const rate = referenceLength > 0 ? edits / referenceLength : Math.min(edits, 1);
    return { name: "TER", score: 100 * rate, edits, referenceLength };
  }

  #tokens(sentence: string): string[] {
    const { caseSensitive, normalized, noPunct, asianSupport } = this.#options;
    const trimmed = trimEnd(sentence);
    let line = caseSensitive ? trimmed : trimmed.toLowerCase();
    if (normalized) line = western(line);
    if (normalized && asianSupport) line = asian(line);
    if (noPunct) line = line.replace(/[.,?:;!"()]/g, "");
    if (noPunct && asianSupport) line = line.replace(asianMarks, "");
    return words(line);
  }

  protected settings(): string[] {
    const { caseSensitive, normalized, noPunct, asianSupport } = this.#options;
    const yes = (is: boolean) => (is ? "yes" : "no");
    return [
      `case:${caseSensitive ? "mixed" : "lc"}`,
      "tok:tercom",
      `norm:${yes(normalized)}`,
      `punct:${yes(!noPunct)}`,
      `asian:${yes(asianSupport)}`,
    ];
  }
}

/** tercom's normalization: mteval's, with 's as a word of its own. */
function western(line: string): string {
  const plain = line
    .replaceAll("\n-", "")
    .replaceAll("\n", " ")
    .replaceAll("&quot;", '"')
    .replaceAll("&amp;", "&")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">");
  return ` ${plain} `
    .replace(/[{-~[-` -&(-+:-@/]/g, " $& ")
    .replace(/'s /g, " 's ")
    .replace(/([^0-9])([.,])/gu, "$1 $2 ")
    .replace(/([.,])([^0-9])/gu, " $1 $2")
    .replace(/([0-9])-/g, "$1 - ");
}

const asianMarks =
  /[\u3001\u3002\u3008-\u3011\u3014-\u301f\uff61-\uff65\u30fb\uff0e\uff0c\uff1f\uff1a\uff1b\uff01\uff02\uff08\uff09]/g;

/**
 * Ideographs one by one, and marks apart. tercom also means to cut runs of kana from what is beside them, but only where
 * a sentence begins with one, and normalized ones begin with a blank: so they stay as they are.
 */
function asian(line: string): string {
  return line
    .replace(/[\u4e00-\u9fff\u3400-\u4dbf]/g, " $& ")
    .replace(/[\u31c0-\u31ef\u2e80-\u2eff]/g, " $& ")
    .replace(/[\u3300-\u33ff\uf900-\ufaff\ufe30-\ufe4f]/g, " $& ")
    .replace(/[\u3200-\u3f22]/g, " $& ")
    .replace(asianMarks, " $& ");
}
