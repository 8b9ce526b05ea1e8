/** Softmaxes for many words: adaptive (Grave et al. 2017), and sampled in training (Jean et al. 2015). */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { problem } from "../../../test/problem.ts";
import { step } from "../../autograd/step.ts";
import { Linear } from "../../nn/linear.ts";
import { crossEntropy } from "../../ops/cross-entropy.ts";
import { manualSeed, randomState } from "../../tensor/random.ts";
import { tensor } from "../../tensor/tensor.ts";
import type { LanguageModelOptions } from "./options.ts";
import { sampledCrossEntropy } from "./sampled-softmax.ts";
import { LanguageModel } from "./task.ts";

const root = mkdtempSync(join(tmpdir(), "unrolled-vocabulary-"));
afterAll(() => rmSync(root, { recursive: true }));

const text = { text: "the quick brown fox jumps over the lazy dog and the cat\n".repeat(20) };
const small: LanguageModelOptions = {
  ...{ unit: "word", minCount: 1, hiddenSize: 16, numLayers: 1, batchSize: 4, seqLength: 8, epochs: 12 },
  ...{ learningRate: 0.01, validFraction: 0, threads: 1 },
};
const learnt = { text: "the quick brown fox jumps over the lazy dog and the cat\n" };

describe("an adaptive output", () => {
  const adaptive = { ...small, output: "adaptive", cutoffs: [3, 8] } as const;

  it("learns, writes, is the same from its folder, and can be started from", async () => {
    const out = join(root, "adaptive");
    const model = await LanguageModel.train(text, { ...adaptive, out });
    const { perplexity } = await model.evaluate(learnt);
    expect(perplexity).toBeLessThan(1.5);
    expect(await (await LanguageModel.load(out)).evaluate(learnt)).toEqual(await model.evaluate(learnt));
    expect(model.generate("the quick", { temperature: 0, maxTokens: 3 })).toBe(" brown fox jumps");
    expect(await model.sample({ tokens: 40, streams: 4 })).toHaveLength(4);
    const more = await LanguageModel.train(text, { ...small, initFrom: out, epochs: 1, learningRate: 1e-9 });
    expect((await more.evaluate(learnt)).perplexity).toBeCloseTo(perplexity, 4);
  });

  it("says what does not fit", async () => {
    const train = (options: object) => problem(LanguageModel.train(text, { ...adaptive, ...options }));
    expect(
      await Promise.all([
        train({ cutoffs: [3, 300] }),
        train({ cutoffs: [8, 3] }),
        train({ cutoffs: undefined }),
        train({ tieWeights: true }),
        train({ output: "softmax" }),
        train({ cutoffs: undefined, sampledSoftmax: 5 }),
        train({ bidirectional: true }),
      ]),
    ).toMatchInlineSnapshot(`
      [
        "OptionError: LanguageModel.train: cutoffs must ascend below the vocabulary of 12, got [3, 300]
      hint: give cutoffs, e.g. [3], or leave out output adaptive",
        "OptionError: LanguageModel.train: cutoffs must ascend below the vocabulary of 12, got [8, 3]
      hint: give cutoffs, e.g. [3], or leave out output adaptive",
        "OptionError: LanguageModel.train: cutoffs must ascend below the vocabulary of 12, got []
      hint: give cutoffs, e.g. [3], or leave out output adaptive",
        "OptionError: LanguageModel.train: tieWeights does not go with output adaptive",
        "OptionError: LanguageModel.train: cutoffs is for output adaptive, got output softmax",
        "OptionError: LanguageModel.train: sampledSoftmax is for output softmax, got output adaptive",
        "OptionError: LanguageModel.train: bidirectional does not go with output adaptive",
      ]
    `);
  });
});

describe("a sampled softmax", () => {
  const [R, H, V] = [6, 4, 30];
  const x = () =>
    tensor(
      Float32Array.from({ length: R * H }, (_, i) => Math.sin(1 + i * i)),
      [R, H],
      { requiresGrad: true },
    );
  const targets = tensor(Int32Array.of(0, 3, 29, 3, 11, 1));

  it("comes to the sum over all words, its gradients too", () => {
    const [full, sampled] = [true, false].map((all) => {
      manualSeed(5);
      const output = new Linear(H, V);
      return step(() => {
        const input = x();
        const loss = all
          ? crossEntropy(output.forward(input), targets)
          : sampledCrossEntropy(input, output, targets, 200_000);
        loss.backward();
        const parts = [input, ...output.parameters()];
        return { loss: loss.item(), gradients: parts.flatMap((p) => [...p.grad!.toArray()]) };
      });
    }) as [{ loss: number; gradients: number[] }, { loss: number; gradients: number[] }];
    expect(sampled.loss).toBeCloseTo(full.loss, 2);
    for (const [i, value] of full.gradients.entries()) {
      expect(Math.abs(sampled.gradients[i]! - value)).toBeLessThan(0.003);
    }
  });

  it("draws other words at each step, the same ones from the same seed", () => {
    const output = new Linear(H, V);
    const losses = [4, 5, 4].map((at) => {
      manualSeed(9);
      randomState.step = at;
      return step(() => sampledCrossEntropy(x(), output, targets, 8).item());
    });
    expect(losses[0]).toBe(losses[2]);
    expect(losses[0]).not.toBe(losses[1]);
  });

  it("trains a model whose softmax is whole, and goes on to the same bytes", async () => {
    const options = { ...small, sampledSoftmax: 5 };
    const model = await LanguageModel.train(text, { ...options, out: join(root, "whole") });
    expect((await model.evaluate(learnt)).perplexity).toBeLessThan(2);
    const stop = new AbortController();
    const parts = join(root, "parts");
    await LanguageModel.train(text, {
      ...{ ...options, out: parts, checkpointEvery: 50, signal: stop.signal },
      onProgress: ({ type }) => type === "checkpoint" && stop.abort(),
    });
    await LanguageModel.train(text, { out: parts, resume: true });
    const bytes = (folder: string) => readFileSync(join(root, folder, "model.safetensors"));
    expect(bytes("parts").equals(bytes("whole"))).toBe(true);
  });
});
