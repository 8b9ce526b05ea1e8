import { describe, expect, it } from "vitest";
import { manualSeed } from "../../tensor/random.ts";
import type { NetworkConfig } from "./config.ts";
import { evaluateTokens, tokenLosses } from "./evaluate.ts";
import { countParameters, LanguageModelNetwork } from "./network.ts";

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

  it.each(["rnn", "lstm", "gru"] as const)("of cell %s begins with a loss of ln V", async (cell) => {
    for (const vocabularySize of [65, 8000]) {
      manualSeed(1);
      const network = new LanguageModelNetwork({ ...config, cell, vocabularySize });
      const { loss } = (await evaluateTokens(network, tokens))!;
      expect(Math.abs(loss / Math.log(vocabularySize) - 1)).toBeLessThan(0.01);
    }
  });

  it.each(["rnn", "lstm", "gru"] as const)(
    "of cell %s scores the same in chunks of any size, and one by one",
    (cell) => {
      const network = new LanguageModelNetwork({ ...config, cell }).eval();
      const scores = (chunk: number) => [...tokenLosses(network, tokens, chunk)].flatMap((part) => [...part]);
      const whole = scores(1000);
      expect(whole).toHaveLength(399);
      for (const chunk of [1, 7, 64]) expect(scores(chunk)).toEqual(whole);
      const stream = network.stream();
      for (let i = 0; i < 20; i++) {
        const logits = Float64Array.from(stream.step(tokens[i]!));
        const logSum = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
        expect(logSum - logits[tokens[i + 1]!]!).toBeCloseTo(whole[i]!, 5);
      }
    },
  );

  it.each<Partial<NetworkConfig>>([
    {},
    { cell: "rnn", numLayers: 1 },
    { cell: "gru", numLayers: 3 },
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
