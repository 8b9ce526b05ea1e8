/** Zoneout, AR and TAR, averaged SGD: what Krueger et al. 2017 and Merity et al. 2017 add to a language model. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { problem } from "../../../test/problem.ts";
import { step } from "../../autograd/step.ts";
import { tensor } from "../../tensor/tensor.ts";
import { averagedSince } from "../../training/average.ts";
import { activationPenalty } from "./activation-penalty.ts";
import type { LanguageModelEvent } from "./events.ts";
import type { LanguageModelOptions } from "./options.ts";
import { LanguageModel } from "./task.ts";

const root = mkdtempSync(join(tmpdir(), "unrolled-regularisation-"));
afterAll(() => rmSync(root, { recursive: true }));

const text = { text: "the quick brown fox jumps over the lazy dog\n".repeat(20) };
const small: LanguageModelOptions = {
  ...{ hiddenSize: 16, numLayers: 1, batchSize: 4, seqLength: 8, epochs: 3, threads: 1 },
  ...{ optimizer: "sgd", learningRate: 0.5 },
};

describe("AR and TAR", () => {
  const values = Float32Array.from({ length: 24 }, (_, i) => Math.sin(i * i));
  const hidden = () => tensor(values, [3, 2, 4]);
  const dropped = () =>
    tensor(
      values.map((x, i) => (i % 3 === 0 ? 0 : 1.5 * x)),
      [3, 2, 4],
    );

  it("are the mean squares of what the output reads, and of h's change", () => {
    const penalty = (ar: number, tar: number) =>
      step(() => activationPenalty(hidden(), dropped(), { ar, tar })?.item());
    const square = (x: number[]) => x.reduce((sum, v) => sum + v * v, 0) / x.length;
    const ar = square([...dropped().toArray()]);
    const tar = square([...values.slice(8)].map((h, i) => h - values[i]!));
    expect(penalty(2, 0)).toBeCloseTo(2 * ar, 5);
    expect(penalty(0, 3)).toBeCloseTo(3 * tar, 5);
    expect(penalty(2, 3)).toBeCloseTo(2 * ar + 3 * tar, 5);
    expect(penalty(0, 0)).toBeUndefined();
  });

  it("keep activations small and slow, and are no part of the loss that is told", async () => {
    const steps: number[][] = [];
    const models: LanguageModel[] = [];
    for (const change of [{}, { ar: 5 }, { tar: 5 }]) {
      const losses: number[] = [];
      models.push(
        await LanguageModel.train(text, {
          ...{ ...small, ...change, logEvery: 1 },
          onProgress(event) {
            if (event.type === "step") losses.push(event.loss);
          },
        }),
      );
      steps.push(losses);
    }
    expect(steps[1]![0]).toBe(steps[0]![0]);
    expect(steps[1]!.at(-1)).not.toBe(steps[0]!.at(-1));
    const inputs = tensor(
      Int32Array.from({ length: 100 }, (_, t) => (t * 7) % 20),
      [100, 1],
    );
    const measured = models.map(({ network }) =>
      step(() => {
        const { hidden } = network.read(inputs);
        return [1, 0].map((ar) => activationPenalty(hidden, hidden, { ar, tar: 1 - ar })!.item());
      }),
    );
    const [[size, change], [smallSize], [, slowChange]] = measured as [number[], number[], number[]];
    expect(smallSize).toBeLessThan(0.8 * size!);
    expect(slowChange).toBeLessThan(0.8 * change!);
  });
});

describe("averaged SGD", () => {
  async function train(change: LanguageModelOptions) {
    const validations: number[] = [];
    const model = await LanguageModel.train(text, {
      ...{ ...small, validateEvery: 4, ...change },
      onProgress(event: LanguageModelEvent) {
        if (event.type === "validation") validations.push(event.loss);
        change.onProgress?.(event);
      },
    });
    return { model, validations };
  }

  it("validates the mean of the weights, from the beginning or once a loss stops to fall", async () => {
    // A rate at which losses go up and down.
    const rate = { learningRate: 4, epochs: 4 };
    const plain = (await train(rate)).validations;
    const mean = (await train({ ...rate, optimizer: "asgd" })).validations;
    expect(mean[0]).not.toBe(plain[0]);
    const triggered = (await train({ ...rate, optimizer: "nt-asgd", nonmono: 1 })).validations;
    const first = plain.findIndex((loss, i) => i > 1 && loss > Math.min(...plain.slice(0, i - 1)));
    expect(first).toBeGreaterThan(1);
    expect(triggered.slice(0, first + 1)).toEqual(plain.slice(0, first + 1));
    expect(triggered[first + 1]).not.toBe(plain[first + 1]);
  });

  it.each(["asgd", "nt-asgd"] as const)("%s goes on bit for bit where it stopped", async (optimizer) => {
    const options = {
      ...{ ...small, optimizer, learningRate: 8, epochs: 4, validateEvery: 4, ar: 1, tar: 1 },
      ...{ zoneout: 0.1, zoneoutCell: 0.3, ...(optimizer === "nt-asgd" && { nonmono: 0 }) },
    };
    const validations: { step: number; loss: number }[] = [];
    const whole = await LanguageModel.train(text, {
      ...options,
      onProgress(event) {
        if (event.type === "validation") validations.push(event);
      },
    });
    expect(averagedSince(options, validations)).toBeLessThan(78);
    const out = join(root, optimizer);
    const controller = new AbortController();
    await LanguageModel.train(text, {
      ...{ ...options, out, signal: controller.signal, logEvery: 1 },
      onProgress(event) {
        if (event.type === "step" && event.step === 82) controller.abort();
      },
    });
    const resumed = await LanguageModel.train(text, { out, resume: true });
    expect(resumed.network.stateDict()).toEqual(whole.network.stateDict());
    const loaded = await LanguageModel.load(out);
    expect(loaded.generate("the ", { seed: 1, maxTokens: 20 })).toBe(
      whole.generate("the ", { seed: 1, maxTokens: 20 }),
    );
  });
});

it("refuses what does not go together", async () => {
  const train = (change: LanguageModelOptions) => problem(LanguageModel.train(text, { ...small, ...change }));
  expect(
    await Promise.all([
      train({ cell: "mingru", zoneout: 0.1 }),
      train({ cell: "gru", zoneoutCell: 0.1 }),
      train({ zoneout: 1 }),
      train({ ar: -1 }),
      train({ tar: 1, independent: true }),
      train({ ar: 1, bidirectional: true }),
      train({ sampledSoftmax: 5, independent: true }),
      train({ nonmono: 3 }),
      train({ optimizer: "nt-asgd", ema: 0.9 }),
    ]),
  ).toMatchInlineSnapshot(`
    [
      "OptionError: LanguageModel.train: zoneout is for cell rnn or lstm or gru or mrnn or mlstm, got cell mingru",
      "OptionError: LanguageModel.train: zoneoutCell is for cell lstm or mlstm, got cell gru",
      "OptionError: LanguageModel.train: zoneout must be a number 0 or more and below 1, got 1",
      "OptionError: LanguageModel.train: ar must be a number 0 or more, got -1",
      "OptionError: LanguageModel.train: tar does not go with independent lines",
      "OptionError: LanguageModel.train: ar does not go with independent lines",
      "OptionError: LanguageModel.train: sampledSoftmax does not go with independent lines",
      "OptionError: LanguageModel.train: nonmono is for optimizer nt-asgd, got optimizer sgd",
      "OptionError: LanguageModel.train: ema does not go with nt-asgd, which averages the weights itself",
    ]
  `);
});
