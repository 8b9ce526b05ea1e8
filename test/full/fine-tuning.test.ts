/**
 * Starting from a model pays: a character model of Melville, trained on for a little while on a small text of another
 * author, is ahead of one that begins from nothing at every moment of the same training.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { readBook } from "../../src/cli/quickstart/book.ts";
import type { LanguageModelOptions } from "../../src/tasks/language-model/options.ts";
import { LanguageModel } from "../../src/tasks/language-model/task.ts";

/** Lincoln's four annual messages to Congress, 1861 to 1864: works of the United States government, in the public domain. */
const lincoln = { text: readFileSync(join(import.meta.dirname, "texts", "lincoln.txt"), "utf8") };
/** The first third of Moby-Dick. */
const melville = { text: readBook().slice(0, 400_000) };

const size = { cell: "lstm", embeddingSize: 64, hiddenSize: 128, numLayers: 1 } as const;
const common = { batchSize: 32, seqLength: 64, learningRate: 0.005 } as const;

/** Validation losses by the number of updates. */
async function learnLincoln(options: LanguageModelOptions): Promise<Map<number, number>> {
  const losses = new Map<number, number>();
  await LanguageModel.train(lincoln, {
    ...{ ...common, epochs: 2, validateEvery: 24 },
    ...options,
    onProgress(event) {
      if (event.type === "validation") losses.set(event.step, event.loss);
    },
  });
  return losses;
}

it("fine-tuning to another author beats training from scratch at equal steps", async () => {
  const model = await LanguageModel.train(melville, { ...common, ...size, schedule: "cosine", epochs: 1 });
  const tuned = await learnLincoln({ initFrom: model });
  const scratch = await learnLincoln(size);
  // What it begins with is measured too, which the other has no counterpart of.
  expect(tuned.get(0)).toBeGreaterThan(Math.min(...tuned.values()));
  tuned.delete(0);
  const table = [...tuned].map(([step, loss]) => ({ step, tuned: loss, scratch: scratch.get(step)! }));
  expect(table.length).toBeGreaterThanOrEqual(6);
  for (const row of table) expect(row.tuned, `after ${row.step} updates`).toBeLessThan(row.scratch - 0.05);
  // After two thirds of the steps it is further than the other after all of them.
  expect(table[3]!.tuned).toBeLessThan(table.at(-1)!.scratch);
});
