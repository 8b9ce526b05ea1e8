import type { NgramModel } from "../tasks/ngram-model/model.ts";
import { table } from "./ui/format.ts";
import { vocabulary } from "./ui/vocabulary.ts";

/** What `inspect` says of an n-gram model. */
export function inspectNgram(folder: string, model: NgramModel, json: boolean): string {
  const { config, tokenizer } = model;
  const { bytes } = model.table;
  const { task, ngram, training } = config;
  if (json) {
    return `${JSON.stringify({ task, ngram, bytes, tokenizer: tokenizer.toJSON(), options: training })}\n`;
  }
  const rows = ngram.sizes.map((size, i) => [
    String(i + 1),
    size.toLocaleString("en-US"),
    ...(ngram.discounts?.[i]?.map((value) => value.toFixed(3)) ?? []),
  ]);
  const discounts = ngram.discounts ? ["discount of 1", "of 2", "of 3 and more"] : [];
  const sentences = ngram.independent ? "each line begins anew" : "lines go on from one another";
  return `${[
    `${folder}: ${task} of order ${ngram.sizes.length}; ${sentences}`,
    table([["order", "n-grams", ...discounts], ...rows]),
    `${(bytes / 2 ** 20).toFixed(1)} MiB in memory`,
    vocabulary(tokenizer),
  ].join("\n\n")}\n`;
}
