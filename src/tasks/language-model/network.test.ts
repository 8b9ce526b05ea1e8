import { beforeAll, describe, expect, it } from "vitest";
import { step } from "../../autograd/step.ts";
import { crossEntropy } from "../../ops/cross-entropy.ts";
import { SGD } from "../../optim/sgd.ts";
import { manualSeed } from "../../tensor/random.ts";
import { tensor } from "../../tensor/tensor.ts";
import { cells } from "./choices.ts";
import type { NetworkConfig } from "./config.ts";
import { evaluateLosses, tokenLosses } from "./evaluate.ts";
import { countParameters, LanguageModelNetwork, prepareNetwork } from "./network.ts";

beforeAll(async () => {
  for (const cell of cells) await prepareNetwork({ cell });
});

describe("the network", () => {
  const config: NetworkConfig = {
    vocabularySize: 65,
    embeddingSize: 24,
    cell: "lstm",
    hiddenSize: 128,
    numLayers: 2,
    dropout: 0,
    tieWeights: false,
  };
  const tokens = Int32Array.from({ length: 400 }, (_, i) => (i * i + (i >> 3)) % 65);

  it.each(cells)("of cell %s begins with a loss of ln V", async (cell) => {
    for (const vocabularySize of [65, 8000]) {
      manualSeed(1);
      const network = new LanguageModelNetwork({ ...config, cell, vocabularySize });
      const { loss } = (await evaluateLosses(tokenLosses(network, tokens), 399))!;
      // The candidates of the minimal cells are positive, which their logits tell.
      const near = cell.startsWith("min") ? 0.03 : 0.01;
      expect(Math.abs(loss / Math.log(vocabularySize) - 1)).toBeLessThan(near);
    }
  });

  it.each(cells)("of cell %s scores the same in chunks of any size, and one by one", (cell) => {
    const network = new LanguageModelNetwork({ ...config, cell }).eval();
    const scores = (chunk: number) => [...tokenLosses(network, tokens, chunk)].flatMap((part) => [...part]);
    const whole = scores(1000);
    expect(whole).toHaveLength(399);
    for (const chunk of [1, 7, 64]) expect(scores(chunk)).toEqual(whole);
  });

  it.each(cells)("of cell %s has the same logits token by token, in streams side by side", (cell) => {
    const network = new LanguageModelNetwork({ ...config, cell, dropout: 0.5 }).eval();
    const columns = [tokens.slice(0, 20), tokens.slice(200, 220)];
    const streams = columns.map(() => network.stream());
    const expected = columns.map((column) => network.forward(tensor(column, [20, 1])).logits.toArray());
    for (let t = 0; t < 20; t++) {
      streams.forEach((stream, i) => {
        expect(stream.step(columns[i]![t]!)).toEqual(expected[i]!.slice(65 * t, 65 * (t + 1)));
      });
    }
  });

  it("streams with the weights that it has, dropping nothing and staying in training", () => {
    const network = new LanguageModelNetwork({ ...config, dropout: 0.5 });
    const first = network.stream().step(3).slice();
    expect(network.training).toBe(true);
    const optimizer = new SGD(network.parameters(), { learningRate: 1 });
    const input = tensor(Int32Array.of(3), [1, 1]);
    step(() => {
      crossEntropy(network.forward(input).logits, input).backward();
      optimizer.step();
    });
    const second = network.stream().step(3).slice();
    expect(second).not.toEqual(first);
    expect(second).toEqual(network.eval().forward(input).logits.toArray());
  });

  it.each<Partial<NetworkConfig>>([
    {},
    { cell: "rnn", numLayers: 1 },
    { cell: "gru", numLayers: 3 },
    { cell: "mrnn" },
    { cell: "mlstm", numLayers: 3 },
    { cell: "mingru" },
    { cell: "minlstm", numLayers: 1 },
    { cell: "qrnn", numLayers: 3 },
    { cell: "lnlstm" },
    { cell: "slstm" },
    { embeddingSize: 128, tieWeights: true },
  ])("has as many parameters as counted beforehand, with %j", (change) => {
    const network = new LanguageModelNetwork({ ...config, ...change });
    const count = network.parameters().reduce((sum, { size }) => sum + size, 0);
    expect(countParameters({ ...config, ...change })).toBe(count);
  });

  it("with tied weights has one matrix for both ends", () => {
    const network = new LanguageModelNetwork({ ...config, embeddingSize: 128, tieWeights: true });
    expect([...network.namedParameters().keys()]).not.toContain("output.weight");
  });
});
