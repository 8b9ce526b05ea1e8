import { DataError } from "../errors.ts";

export interface MetricScore {
  /** E.g. "BLEU", "chrF2++", "TER". */
  name: string;
  /** 0 to 100; of TER, an error rate, 0 is best and there is no upper bound. */
  score: number;
}

/**
 * Part of every signature: scores of the same version may be compared. It changes when a score would, and is not the
 * package's.
 */
const SCORING = "unrolled-1";

/**
 * A score of a corpus that is a function of sums over its sentences: BLEU, chrF, TER. The names and the wording of
 * signatures are sacreBLEU's (Post 2018), and so are the figures.
 */
export abstract class Metric<S extends MetricScore = MetricScore> {
  /** What a sentence adds to the corpus. References are not empty. */
  abstract statistics(hypothesis: string, references: readonly string[]): number[];
  /** The score of statistics that are summed up. */
  abstract score(statistics: readonly number[]): S;
  /** How it was computed, without the number of references and the version. */
  protected abstract settings(): string[];

  /**
   * The score of a corpus. `references` holds one list a reference translation, each of them as long as `hypotheses`; an
   * empty string in it means that the sentence has a reference less.
   */
  corpusScore(hypotheses: readonly string[], references: readonly (readonly string[])[]): S {
    return this.score(sumOf(this.sentenceStatistics(hypotheses, references)));
  }

  /** The score of one sentence by its references. */
  sentenceScore(hypothesis: string, references: readonly string[]): S {
    return this.corpusScore(
      [hypothesis],
      references.map((reference) => [reference]),
    );
  }

  /** The statistics of each sentence, for those who resample them. */
  sentenceStatistics(
    hypotheses: readonly string[],
    references: readonly (readonly string[])[],
  ): readonly number[][] {
    checkCorpus(hypotheses, references);
    return hypotheses.map((hypothesis, i) => this.statistics(hypothesis, referencesOf(references, i)));
  }

  /** E.g. `nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:…`: what a score has to be published with. */
  signature(references: readonly (readonly string[])[], resampling: readonly string[] = []): string {
    const counts = new Set(references[0]?.map((_, i) => referencesOf(references, i).length));
    const count = counts.size === 1 ? [...counts][0] : "var";
    return [`nrefs:${count}`, ...resampling, ...this.settings(), `version:${SCORING}`].join("|");
  }
}

const referencesOf = (references: readonly (readonly string[])[], i: number) =>
  references.map((reference) => reference[i]!).filter((sentence) => sentence !== "");

/** The sums over all sentences, or over those that `chosen` names. */
export function sumOf(statistics: readonly (readonly number[])[], chosen?: ArrayLike<number>): number[] {
  const sums = new Array<number>(statistics[0]!.length).fill(0);
  const count = chosen?.length ?? statistics.length;
  for (let i = 0; i < count; i++) {
    const sentence = statistics[chosen ? chosen[i]! : i]!;
    for (let k = 0; k < sums.length; k++) sums[k]! += sentence[k]!;
  }
  return sums;
}

function checkCorpus(hypotheses: readonly string[], references: readonly (readonly string[])[]): void {
  if (hypotheses.length === 0) throw new DataError("hypotheses: must hold a sentence or more, got none");
  if (references.length === 0) throw new DataError("references: must hold a list or more, got none");
  for (const [k, { length }] of references.entries()) {
    if (length === hypotheses.length) continue;
    const more = length > hypotheses.length ? "more" : "fewer";
    throw new DataError(
      `references[${k}]: must be as many as the ${hypotheses.length} hypotheses, ` +
        `got ${length}, ${Math.abs(length - hypotheses.length)} ${more}`,
    );
  }
  const empty = hypotheses.findIndex((_, i) => referencesOf(references, i).length === 0);
  if (empty >= 0) throw new DataError(`references: sentence ${empty + 1} has none that is not empty`);
}
