import { describe, expect, it } from "vitest";
import { Generator } from "../../tensor/random.ts";
import { MemoryBatches } from "./batches.ts";
import { problemNames, problems, type Sequence } from "./problems.ts";

/** Many sequences of a problem, and the position of the one in each step's input. */
function draw(name: keyof typeof problems, T: number, count = 400): (Sequence & { symbols: number[] })[] {
  const { inputSize, make } = problems[name];
  return Array.from({ length: count }, (_, i) => {
    const sequence = make(new Generator(7, i), T);
    const symbols = Array.from({ length: T }, (_, t) =>
      sequence.inputs.subarray(t * inputSize, (t + 1) * inputSize).indexOf(1),
    );
    return { ...sequence, symbols };
  });
}

const range = (values: number[]) => [Math.min(...values), Math.max(...values)];

it("temporal order: two symbols of A and B, in [T/10, T/5) and [T/2, 3T/5), in one of four orders", () => {
  const drawn = draw("temporal-order", 50);
  const places = drawn.map(({ symbols }) => symbols.flatMap((symbol, t) => (symbol < 2 ? [t] : [])));
  expect(places.every((two) => two.length === 2)).toBe(true);
  expect(range(places.map(([first]) => first!))).toEqual([5, 9]);
  expect(range(places.map(([, second]) => second!))).toEqual([25, 29]);
  for (const { symbols, targets } of drawn) {
    const [a, b] = symbols.filter((symbol) => symbol < 2);
    expect(targets).toEqual([2 * a! + b!]);
  }
  expect(new Set(drawn.map(({ targets }) => targets[0]))).toEqual(new Set([0, 1, 2, 3]));
  expect(new Set(drawn.flatMap(({ symbols }) => symbols))).toEqual(new Set([0, 1, 2, 3, 4, 5]));
});

it.each([
  ["addition", (a: number, b: number) => a + b, 1, 1 / 6],
  ["multiplication", (a: number, b: number) => a * b, 1 / 4, 7 / 144],
] as const)(
  "%s: of two marked numbers, one in the first tenth, one from there to the middle",
  (name, combine, mean, variance) => {
    const drawn = draw(name, 40, 4000);
    const marks = drawn.map(({ inputs }) =>
      Array.from({ length: 40 }, (_, t) => t).filter((t) => inputs[2 * t + 1] === 1),
    );
    expect(range(marks.map(([first]) => first!))).toEqual([0, 3]);
    expect(range(marks.map(([, second]) => second!))).toEqual([4, 19]);
    for (const [i, { inputs, targets }] of drawn.entries()) {
      const [a, b] = marks[i]!.map((t) => inputs[2 * t]!);
      expect(targets).toEqual([combine(a!, b!)]);
    }
    const targets = drawn.map(({ targets }) => targets[0]!);
    expect(targets.reduce((a, b) => a + b) / 4000).toBeCloseTo(mean, 1);
    // What always saying the mean comes to.
    expect(targets.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 4000).toBeCloseTo(variance, 2);
  },
);

it("copy: five bits, blanks, a cue where the five answers begin", () => {
  for (const { symbols, targets } of draw("copy", 20)) {
    expect(targets).toEqual(symbols.slice(0, 5));
    expect(symbols.slice(5)).toEqual([...Array(10).fill(2), 3, ...Array(4).fill(2)]);
  }
});

it("experiment 3c: the first three are 1 or −1, then noise of variance 0.2; the targets have noise of variance 0.1", () => {
  const drawn = draw("experiment-3c", 100);
  for (const { inputs, truth } of drawn) {
    expect([...inputs.subarray(0, 3)]).toEqual(Array(3).fill(truth === 0.2 ? 1 : -1));
    expect([0.2, 0.8]).toContain(truth);
  }
  const variance = (values: number[]) => values.reduce((sum, x) => sum + x * x, 0) / values.length;
  expect(variance(drawn.flatMap(({ inputs }) => [...inputs.subarray(3)]))).toBeCloseTo(0.2, 2);
  expect(variance(drawn.map(({ targets, truth }) => targets[0]! - truth!))).toBeCloseTo(0.1, 1);
});

describe("batches", () => {
  const options = { batchSize: 3, length: [20, 24], count: 10, seed: 1 } as const;
  const values = (batch: { inputs: { toArray(): ArrayLike<number> } }) => Array.from(batch.inputs.toArray());

  it.each(problemNames)("of %s have one length of those allowed, and all inputs and answers", (name) => {
    const problem = problems[name];
    const batches = new MemoryBatches(problem, { ...options, purpose: "training" });
    const lengths = new Set<number>();
    for (let i = 0; i < 10; i++) {
      const { inputs, targets, truths } = batches.at(0, i);
      const [T, N, I] = inputs.shape;
      lengths.add(T!);
      expect([N, I]).toEqual([3, problem.inputSize]);
      expect([targets.shape, truths.shape]).toEqual(Array(2).fill([problem.answers, 3]));
      expect(targets.dtype).toBe(problem.answer === "class" ? "int32" : "float32");
    }
    expect([...lengths].every((T) => T >= 20 && T <= 24)).toBe(true);
    expect(lengths.size).toBeGreaterThan(1);
    // One sequence as it was made stands in its column.
    const random = new Generator(1, 2 ** 30);
    const T = 20 + random.below(5);
    const made = problem.make(random, T);
    const { inputs, targets } = batches.at(0, 0);
    const column = [...inputs.toArray()].filter((_, i) => Math.floor(i / problem.inputSize) % 3 === 0);
    expect(column).toEqual([...made.inputs]);
    expect([...targets.toArray()].filter((_, i) => i % 3 === 0)).toEqual(made.targets.map(Math.fround));
  });

  it("are the same for the same number, and others for other numbers, epochs, seeds and purposes", () => {
    const problem = problems.addition;
    const make = (change: object) =>
      new MemoryBatches(problem, { ...options, length: [20, 20], purpose: "training", ...change });
    const first = values(make({}).at(0, 0));
    expect(values(make({}).at(0, 0))).toEqual(first);
    for (const other of [
      make({}).at(0, 1),
      make({}).at(1, 0),
      make({ seed: 2 }).at(0, 0),
      make({ purpose: "validation" }).at(0, 0),
      make({ purpose: "evaluation" }).at(0, 0),
    ]) {
      expect(values(other)).not.toEqual(first);
    }
  });
});
