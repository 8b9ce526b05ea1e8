import { describe, expect, it } from "vitest";
import { LanguageModelBatches } from "./stream-batches.ts";

const count = (n: number) => Int32Array.from({ length: n }, (_, i) => i);
const rows = (batches: LanguageModelBatches, index: number) => {
  const { inputs, targets, first } = batches.at(0, index);
  return { shape: inputs.shape, inputs: [...inputs.toArray()], targets: [...targets.toArray()], first };
};

describe("LanguageModelBatches", () => {
  it("reads equal streams side by side, window after window", () => {
    const batches = new LanguageModelBatches(count(12), { batchSize: 2, seqLength: 2 });
    expect(batches.length).toBe(3);
    expect(batches.tokens).toBe(10);
    expect(rows(batches, 0)).toEqual({
      shape: [2, 2],
      inputs: [0, 5, 1, 6],
      targets: [1, 6, 2, 7],
      first: true,
    });
    expect(rows(batches, 1)).toEqual({
      shape: [2, 2],
      inputs: [2, 7, 3, 8],
      targets: [3, 8, 4, 9],
      first: false,
    });
    // The last window holds what is left of the streams.
    expect(rows(batches, 2)).toEqual({ shape: [1, 2], inputs: [4, 9], targets: [5, 10], first: false });
  });

  it("predicts every token but the first once when the cut is even", () => {
    const batches = new LanguageModelBatches(count(61), { batchSize: 4, seqLength: 7 });
    const seen: number[] = [];
    for (let i = 0; i < batches.length; i++) seen.push(...batches.at(3, i).targets.toArray());
    expect(seen.sort((a, b) => a - b)).toEqual([...count(61)].slice(1));
  });

  it("depends on the index alone", () => {
    const batches = new LanguageModelBatches(count(100), { batchSize: 3, seqLength: 5 });
    batches.at(0, 4);
    expect(rows(batches, 2)).toEqual(rows(batches, 2));
  });

  it("refuses a text shorter than one batch", () => {
    expect(new LanguageModelBatches(count(7), { batchSize: 2, seqLength: 3 }).length).toBe(1);
    expect(
      () => new LanguageModelBatches(count(6), { batchSize: 2, seqLength: 3 }, "book.txt"),
    ).toThrowErrorMatchingInlineSnapshot(`
      [DataError: book.txt: 6 tokens are too few for one batch of 2 streams of 3, which takes 7
      hint: use a longer text, or a batch size of at most 1]
    `);
    expect(() => new LanguageModelBatches(count(2), { batchSize: 2, seqLength: 3 })).toThrow(
      "smaller batch size and sequence length",
    );
  });
});
