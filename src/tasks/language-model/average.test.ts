import { expect, it } from "vitest";
import type { LanguageModelOptions } from "./options.ts";
import { LanguageModel } from "./task.ts";

const source = { text: "the quick brown fox jumps over the lazy dog\n".repeat(20) };
const train = (options: LanguageModelOptions = {}, from = source) =>
  LanguageModel.train(from, {
    ...{ hiddenSize: 4, numLayers: 1, batchSize: 4, seqLength: 16, epochs: 1 },
    ...options,
  });

it("averages models of one architecture and vocabulary", async () => {
  const models = [await train(), await train({ seed: 2, dropout: 0.5, weightDrop: 0.5, epochs: 2 })];
  const mean = LanguageModel.average(models);
  const [a, b] = models.map(({ network }) => network.stateDict());
  for (const [name, t] of mean.network.stateDict()) {
    const [x, y] = [a!.get(name)!.toArray(), b!.get(name)!.toArray()];
    expect([...t.toArray()]).toEqual(Array.from(x, (value, i) => Math.fround((value + y[i]!) / 2)));
  }
  expect(mean.tokenizer.toJSON()).toEqual(models[0]!.tokenizer.toJSON());
  expect(mean.config.network).toEqual(models[0]!.config.network);
});

it("refuses others", async () => {
  const first = await train();
  const attempt = async (other?: Promise<LanguageModel>) => {
    const models = other ? [first, await other] : [];
    try {
      return String(LanguageModel.average(models));
    } catch (error) {
      return String(error);
    }
  };
  expect([
    await attempt(),
    await attempt(train({ hiddenSize: 5, cell: "gru" })),
    await attempt(train({ independent: true })),
    await attempt(train({}, { text: source.text.replaceAll("z", "Z") })),
  ]).toMatchInlineSnapshot(`
    [
      "FormatError: LanguageModel.average: there must be models to average, got none",
      "FormatError: LanguageModel.average: model 2 is of another kind than the first:
      embeddingSize must be 4, got 5
      cell must be lstm, got gru
      hiddenSize must be 4, got 5",
      "FormatError: LanguageModel.average: model 2 is of another kind than the first:
      resetAt must be undefined, got 0",
      "FormatError: LanguageModel.average: model 2 is of another kind than the first:
      the vocabulary must be the same, token by token",
    ]
  `);
});
