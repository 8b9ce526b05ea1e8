import { describe, expect, it } from "vitest";
import { ShuffledBatches } from "./shuffled-batches.ts";

const count = (n: number) => Int32Array.from({ length: n }, (_, i) => i);
const make = (tokens: number, seed = 1) =>
  new ShuffledBatches(count(tokens), { batchSize: 4, seqLength: 5, seed });
const inputsOf = (batches: ShuffledBatches, epoch: number) =>
  Array.from({ length: batches.length }, (_, i) => [...batches.at(epoch, i).inputs.toArray()]).flat();

describe("ShuffledBatches", () => {
  it("reads windows of successive tokens, from a state of zeros", () => {
    const batches = make(200);
    const { inputs, targets, first } = batches.at(0, 3);
    expect([inputs.shape, first]).toEqual([[5, 4], true]);
    const [x, y] = [inputs.toArray(), targets.toArray()];
    for (let i = 0; i < x.length; i++) expect(y[i]).toBe(x[i]! + 1);
    for (let i = 4; i < x.length; i++) expect(x[i]).toBe(x[i - 4]! + 1);
  });

  it("reads every token once an epoch, but for the ends", () => {
    const batches = make(205);
    expect(batches.length).toBe(10);
    const seen = inputsOf(batches, 7).sort((a, b) => a - b);
    expect(seen).toEqual(Array.from(seen, (_, i) => seen[0]! + i));
    expect(seen.length).toBe(200);
    expect(seen[0]).toBeLessThan(5);
  });

  it("has an order and an offset for each epoch and seed, and no others", () => {
    expect(inputsOf(make(205), 2)).toEqual(inputsOf(make(205), 2));
    expect(inputsOf(make(205), 2)).not.toEqual(inputsOf(make(205), 3));
    expect(inputsOf(make(205), 2)).not.toEqual(inputsOf(make(205, 2), 2));
    const offsets = new Set(
      Array.from({ length: 20 }, (_, epoch) => Math.min(...inputsOf(make(205), epoch))),
    );
    expect(offsets.size).toBe(5);
    const batches = make(205);
    const before = inputsOf(batches, 0);
    batches.at(5, 3);
    expect(inputsOf(batches, 0)).toEqual(before);
  });

  it("makes a batch of a text that is just long enough", () => {
    expect(make(21).length).toBe(1);
    expect(inputsOf(make(21), 0).sort((a, b) => a - b)).toEqual([...count(20)]);
    expect(() => make(20)).toThrow("20 tokens are too few for one batch of 4 streams of 5");
  });
});
