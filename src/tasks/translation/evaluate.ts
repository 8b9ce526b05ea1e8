import * as v from "valibot";
import { BLEU } from "../../metrics/bleu.ts";
import { type BleuTokenizer, bleuTokenizers } from "../../metrics/bleu-tokenizers.ts";
import { CHRF } from "../../metrics/chrf.ts";
import { TER } from "../../metrics/ter.ts";
import { checkOptions, oneOf, recordWith } from "../../options.ts";
import { nameOf, readPairs } from "./corpus.ts";
import type { TranslationSource } from "./options.ts";
import type { TranslateOptions, Translation } from "./translate.ts";

export interface TranslationEvaluateOptions extends TranslateOptions {
  /** How BLEU cuts sentences into words, as sacreBLEU calls it; "zh" of Chinese. Default "13a". */
  tokenize?: BleuTokenizer;
}

const schema = recordWith({ tokenize: v.optional(oneOf(bleuTokenizers), "13a") });

export interface TranslationEvaluation {
  sentences: number;
  /** Pairs that were left out, a side being blank. */
  empty: number;
  /** Without regard to case, as papers on Multi30k do; with the signatures. */
  bleu: { score: number; signature: string };
  chrf: { score: number; signature: string };
  ter: { score: number; signature: string };
  /** The part of translations that are their references to the letter. */
  exact: number;
  /** Seconds that translating took. */
  seconds: number;
  /** What the translations are, in order. */
  translations: Translation[];
  notes: string[];
}

/** Scores the translations of one side of a parallel text by the other. */
export async function evaluateTranslation(
  translate: (sentences: readonly string[], options: TranslateOptions) => Promise<Translation[]>,
  given: TranslationSource,
  options: TranslationEvaluateOptions,
): Promise<TranslationEvaluation> {
  const { tokenize } = checkOptions("Translator.evaluate", schema, options);
  const { tokenize: _, ...search } = options;
  const { source, target, lines, empty } = await readPairs(given);
  const began = performance.now();
  const translations = await translate(source, search);
  const seconds = (performance.now() - began) / 1000;
  const texts = translations.map(({ text }) => text);
  const score = (metric: BLEU | CHRF | TER) => ({
    score: metric.corpusScore(texts, [target]).score,
    signature: metric.signature([target]),
  });
  return {
    sentences: source.length,
    empty: empty.length,
    bleu: score(new BLEU({ lowercase: true, tokenize })),
    chrf: score(new CHRF({ lowercase: true })),
    ter: score(new TER()),
    exact: texts.filter((text, i) => text === target[i]!.replace(/\s+/g, " ").trim()).length / texts.length,
    seconds,
    translations,
    notes: [
      ...(empty.length > 0
        ? [`${nameOf(given)}: ${empty.length} pairs have a blank side, and are left out`]
        : []),
      // By the lines of the files, in which there may be blank ones.
      ...translations.flatMap(({ notes }, i) =>
        notes.map((note) => note.replace(/^line \d+/, `line ${lines[i]}`)),
      ),
    ],
  };
}
