import { countNgrams } from "../../ngram/count.ts";
import { kneserNey } from "../../ngram/kneser-ney.ts";
import { NgramTable } from "../../ngram/table.ts";
import { readTokens } from "../language-model/data.ts";
import type { TextSource } from "../language-model/options.ts";
import { makeNgramConfig } from "./config.ts";
import type { NgramParts } from "./load.ts";
import { checkNgramOptions, type NgramOptions } from "./options.ts";

export async function trainNgramModel(source: TextSource, options: NgramOptions): Promise<NgramParts> {
  const checked = checkNgramOptions("NgramModel.train", options);
  const { order, cutoffs, signal, cache, onProgress } = checked;
  const text = await readTokens(source, checked.tokenizer ?? checked, {
    signal,
    cache,
    onProgress: (event) => {
      if (event.type === "reading") onProgress?.({ stage: event.stage, progress: event.progress });
    },
  });
  const { tokenizer } = text;
  const { independent = tokenizer.unit === "word" } = checked;
  try {
    const counts = countNgrams(text.tokens.slice(0, text.tokens.length), {
      order,
      vocabularySize: tokenizer.size,
      sentenceEnd: independent ? tokenizer.lineBreak : undefined,
    });
    signal?.throwIfAborted();
    const { model, discounts } = kneserNey(counts, cutoffs);
    const { sizes } = model;
    const training: Record<string, unknown> = { order, tokens: text.tokens.length };
    if (cutoffs.length > 0) training.cutoffs = cutoffs;
    return {
      table: NgramTable.of(model),
      tokenizer,
      config: makeNgramConfig(
        { sizes: [...sizes], independent, discounts: discounts.map(({ values }) => values) },
        training,
      ),
    };
  } finally {
    text.close();
  }
}
