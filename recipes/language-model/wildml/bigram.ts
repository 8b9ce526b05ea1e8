/**
 * What the recipe's network has to beat: unigram and bigram over the same vocabulary, on the same test text.
 *
 *     npx node recipes/language-model/wildml/bigram.ts DATA MODEL
 */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { LanguageModel, NgramModel, perplexity } from "unrolled";

const [data, model] = process.argv.slice(2);
if (!data || !model) throw new Error("name the folder of data sets and the trained model's folder");

const { tokenizer } = await LanguageModel.load(model);
const tokensOf = (part: string) =>
  tokenizer.encode(gunzipSync(readFileSync(`${data}/warandpeace/wap.${part}.txt.gz`)).toString());

const [train, test] = [tokensOf("train"), tokensOf("test")];
for (const [name, order] of [
  ["unigram", 1],
  ["bigram", 2],
] as const) {
  const baseline = new NgramModel(train, { order, vocabularySize: tokenizer.size });
  console.log(`${name}: perplexity ${perplexity(baseline.loss(test)).toFixed(2)}`);
}
