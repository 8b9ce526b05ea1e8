import { describe, expect, it } from "vitest";
import { gridSearch, type Range, randomSearch } from "./search.ts";

it("a grid has every combination, once", () => {
  const choices = [
    { name: "hiddenSize", values: [64, 128] },
    { name: "tieWeights", values: [true, false] },
    { name: "cell", values: ["gru"] },
  ];
  expect(gridSearch(choices)).toEqual([
    { hiddenSize: 64, tieWeights: true, cell: "gru" },
    { hiddenSize: 64, tieWeights: false, cell: "gru" },
    { hiddenSize: 128, tieWeights: true, cell: "gru" },
    { hiddenSize: 128, tieWeights: false, cell: "gru" },
  ]);
});

describe("a random sample", () => {
  const range = (name: string, low: number, high: number, kind: Partial<Range> = {}): Range => ({
    ...{ name, low, high, log: false, whole: false },
    ...kind,
  });
  const dimensions = [
    range("rate", 1e-4, 1e-2, { log: true }),
    range("dropout", 0, 0.5),
    range("size", 8, 11, { whole: true }),
    range("batch", 1, 64, { whole: true, log: true }),
    { name: "cell", values: ["lstm", "gru"] },
  ];

  it("is evenly spread over each range", () => {
    const drawn = randomSearch(dimensions, 2000, 1);
    const share = (within: (settings: Record<string, unknown>) => boolean) =>
      drawn.filter(within).length / drawn.length;
    expect(drawn).toHaveLength(2000);
    expect(share(({ rate }) => (rate as number) < 1e-3)).toBeCloseTo(0.5, 1);
    expect(share(({ dropout }) => (dropout as number) < 0.1)).toBeCloseTo(0.2, 1);
    for (const size of [8, 9, 10, 11]) expect(share((s) => s.size === size)).toBeCloseTo(0.25, 1);
    expect(share(({ batch }) => (batch as number) <= 8)).toBeCloseTo(0.5, 1);
    expect(share(({ cell }) => cell === "gru")).toBeCloseTo(0.5, 1);
    for (const { rate, dropout, batch } of drawn as Record<string, number>[]) {
      expect(rate! >= 1e-4 && rate! <= 1e-2 && dropout! >= 0 && dropout! <= 0.5).toBe(true);
      expect(Number.isInteger(batch) && batch! >= 1 && batch! <= 64).toBe(true);
      expect(Number(rate!.toPrecision(3))).toBe(rate);
    }
  });

  it("begins alike for any count, is another for another seed, and holds nothing twice", () => {
    expect(randomSearch(dimensions, 3, 1)).toEqual(randomSearch(dimensions, 20, 1).slice(0, 3));
    expect(randomSearch(dimensions, 3, 2)).not.toEqual(randomSearch(dimensions, 3, 1));
    const few = randomSearch([{ name: "cell", values: ["lstm", "gru", "rnn"] }], 10, 1);
    expect(few.map(({ cell }) => cell).sort()).toEqual(["gru", "lstm", "rnn"]);
  });
});
