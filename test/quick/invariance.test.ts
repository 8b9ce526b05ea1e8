import { afterAll, describe, expect, it } from "vitest";
import { mapValues, step } from "../../src/autograd/step.ts";
import { setThreads, threads } from "../../src/engine/engine.ts";
import { gru, lstm, rnn, type SequenceInputs } from "../../src/ops/index.ts";
import { Generator } from "../../src/tensor/random.ts";
import { sizeOf } from "../../src/tensor/shape.ts";
import { type Tensor, tensor } from "../../src/tensor/tensor.ts";

// What must not matter, to the last bit: what padding holds, where in the batch a sequence stands and what stands beside
// it, how a sequence was cut into chunks, how many threads computed it.

const T = 12;
const I = 20;
const H = 37;
const P = 21;

type State = Record<string, Tensor>;

interface Cell {
  name: string;
  gates: number;
  /** The widths of the parts of its state; the first is the output's too. */
  states: Readonly<Record<string, number>>;
  /** Weights beside those that all cells have. */
  weights?: Record<string, number[]>;
  /** Initial state → outputs and final state, both under the initial state's names. */
  run(inputs: Omit<SequenceInputs, "h0">, state: State, reverse: boolean): { output: Tensor; state: State };
}

const cells: Cell[] = [
  {
    name: "rnn",
    gates: 1,
    states: { h0: H },
    run(inputs, { h0 }, reverse) {
      const { output, h } = rnn({ ...inputs, h0 }, { reverse });
      return { output, state: { h0: h } };
    },
  },
  ...[true, false].map((resetAfter) => ({
    name: `gru, reset ${resetAfter ? "after" : "before"}`,
    gates: 3,
    states: { h0: H },
    run(inputs: Omit<SequenceInputs, "h0">, { h0 }: State, reverse: boolean) {
      const { output, h } = gru({ ...inputs, h0 }, { reverse, resetAfter });
      return { output, state: { h0: h } };
    },
  })),
  {
    name: "lstm",
    gates: 4,
    states: { h0: H, c0: H },
    run(inputs, { h0, c0 }, reverse) {
      const { output, h, c } = lstm({ ...inputs, h0, c0 }, { reverse });
      return { output, state: { h0: h, c0: c } };
    },
  },
  {
    name: "lstm, projected, peepholes",
    gates: 4,
    states: { h0: P, c0: H },
    weights: { weightHr: [P, H], peephole: [3, H] },
    run(inputs, { h0, c0 }, reverse) {
      const { output, h, c } = lstm({ ...inputs, h0, c0 }, { reverse });
      return { output, state: { h0: h, c0: c } };
    },
  },
];

const LENGTHS = [12, 3, 0, 7, 12, 1, 5, 11, 8];

type Arrays = Record<string, Float32Array>;

/** Values for everything, input and states as one array per sequence [T, I] or [H] so that batches can be put together. */
function draw(cell: Cell) {
  const generator = new Generator(3);
  const normal = (size: number, scale = 1) =>
    Float32Array.from({ length: size }, () => generator.normal() * scale);
  const rows = cell.gates * H;
  const width = Object.values(cell.states)[0]!;
  const shapes = {
    weightIh: [rows, I],
    weightHh: [rows, width],
    biasIh: [rows],
    biasHh: [rows],
    ...cell.weights,
  };
  const weights = Object.entries(shapes).map(([name, shape]): [string, number[], Float32Array] => [
    name,
    shape,
    normal(sizeOf(shape), 0.2),
  ]);
  const sequences = LENGTHS.map((length) => ({
    length,
    x: normal(T * I),
    /** The gradients of what is differentiated with respect to this sequence's outputs and final states. */
    dOutput: normal(T * width),
    states: mapValues(cell.states, (size) => normal(size)),
    dStates: mapValues(cell.states, (size) => normal(size)),
  }));
  return { width, weights, sequences };
}

type Drawn = ReturnType<typeof draw>;
type Sequence = Drawn["sequences"][number];

/** Rows [from, to) in time of several sequences' [T, width], as [to − from, N, width]. */
function batch(parts: Float32Array[], width: number, from: number, to: number): Float32Array {
  const out = new Float32Array((to - from) * parts.length * width);
  for (let t = from; t < to; t++) {
    parts.forEach((part, n) => {
      out.set(part.subarray(t * width, (t + 1) * width), ((t - from) * parts.length + n) * width);
    });
  }
  return out;
}

/** The inverse: each sequence's part of [T, N, width]. */
function unbatch(values: Float32Array, width: number, count: number): Float32Array[] {
  const time = values.length / width / count;
  return Array.from({ length: count }, (_, n) => {
    const part = new Float32Array(time * width);
    for (let t = 0; t < time; t++) {
      part.set(values.subarray((t * count + n) * width, (t * count + n + 1) * width), t * width);
    }
    return part;
  });
}

interface Outcome {
  /** Per sequence: output, final states, gradients of x and of the initial states. */
  sequences: Arrays[];
  /** Gradients of the weights. */
  weights: Arrays;
}

interface Way {
  reverse?: boolean;
  lengths?: boolean;
  /** Where time is cut into chunks. */
  cut?: number;
}

/** Forward and backward over a batch of these sequences. */
function compute(cell: Cell, { width, weights }: Drawn, sequences: Sequence[], way: Way = {}): Outcome {
  const { reverse = false, lengths = true, cut } = way;
  const count = sequences.length;
  const times: [number, number][] =
    cut === undefined
      ? [[0, T]]
      : [
          [0, cut],
          [cut, T],
        ];
  return step(() => {
    const leaf = (values: Float32Array, shape: number[]) => tensor(values, shape, { requiresGrad: true });
    const parameters = Object.fromEntries(
      weights.map(([name, shape, values]) => [name, leaf(values, shape)]),
    ) as Pick<SequenceInputs, "weightIh" | "weightHh">;
    const initial = Object.fromEntries(
      Object.entries(cell.states).map(([name, size]) => {
        const values = batch(
          sequences.map((s) => s.states[name]!),
          size,
          0,
          1,
        );
        return [name, leaf(values, [count, size])];
      }),
    );
    const chunks = times.map(([from, to]) => ({
      from,
      to,
      input: leaf(
        batch(
          sequences.map((s) => s.x),
          I,
          from,
          to,
        ),
        [to - from, count, I],
      ),
      lengths: Int32Array.from(sequences, ({ length }) => Math.min(Math.max(length - from, 0), to - from)),
      output: undefined as Tensor | undefined,
    }));
    let state = initial;
    for (const chunk of reverse ? chunks.toReversed() : chunks) {
      const { input } = chunk;
      const inputs = { ...parameters, input, ...(lengths && { lengths: tensor(chunk.lengths) }) };
      const result = cell.run(inputs, state, reverse);
      chunk.output = result.output;
      state = result.state;
    }

    const seeds = chunks.map(({ from, to, output }) => ({
      storage: output!.storage,
      grad: batch(
        sequences.map((s) => s.dOutput),
        width,
        from,
        to,
      ),
    }));
    for (const [name, size] of Object.entries(cell.states)) {
      const grad = batch(
        sequences.map((s) => s.dStates[name]!),
        size,
        0,
        1,
      );
      seeds.push({ storage: state[name]!.storage, grad });
    }
    chunks[0]!.output!.storage.scope!.backwardFrom(seeds);

    const read = (t: Tensor | undefined) => t!.toArray() as Float32Array;
    const join = (parts: Float32Array[]) => Float32Array.from(parts.flatMap((part) => [...part]));
    const perSequence: [string, Float32Array, number][] = [
      ["output", join(chunks.map(({ output }) => read(output))), width],
      ["gradient of x", join(chunks.map(({ input }) => read(input.grad))), I],
    ];
    for (const [name, size] of Object.entries(cell.states)) {
      perSequence.push([`final ${name}`, read(state[name]), size]);
      perSequence.push([`gradient of ${name}`, read(initial[name]!.grad), size]);
    }
    return {
      sequences: sequences.map((_, n) =>
        Object.fromEntries(perSequence.map(([name, all, width]) => [name, unbatch(all, width, count)[n]!])),
      ),
      weights: Object.fromEntries(Object.entries(parameters).map(([name, p]) => [name, read(p.grad)])),
    };
  });
}

function expectSameBits(actual: Arrays, expected: Arrays): void {
  for (const [name, values] of Object.entries(expected)) {
    expect(values.every(Number.isFinite), `${name} is finite`).toBe(true);
    const bits = (a: Float32Array) => Buffer.from(a.buffer, a.byteOffset, a.byteLength);
    expect(bits(actual[name]!).equals(bits(values)), `${name} has the same bits`).toBe(true);
  }
}

function expectSameSequences(actual: Arrays[], expected: Arrays[]): void {
  for (const [n, arrays] of expected.entries()) expectSameBits(actual[n]!, arrays);
}

const before = threads();
afterAll(() => setThreads(before));

describe.each(cells)("$name", (cell) => {
  const drawn = draw(cell);
  const { sequences } = drawn;

  for (const reverse of [false, true]) {
    const direction = reverse ? "backwards" : "forwards";

    it(`does not see what padding holds, ${direction}`, () => {
      const expected = compute(cell, drawn, sequences, { reverse });
      const spoiled = sequences.map((s) => ({
        ...s,
        x: s.x.slice().fill(Number.NaN, s.length * I),
        dOutput: s.dOutput.slice().fill(Number.NaN, s.length * drawn.width),
      }));
      const actual = compute(cell, drawn, spoiled, { reverse });
      expectSameSequences(actual.sequences, expected.sequences);
      expectSameBits(actual.weights, expected.weights);
    });

    it(`does not see what else is in the batch, ${direction}`, () => {
      const expected = compute(cell, drawn, sequences, { reverse });
      const order = [4, 0, 8, 2, 6, 1, 7, 3, 5];
      const shuffled = compute(
        cell,
        drawn,
        order.map((n) => sequences[n]!),
        { reverse },
      );
      expectSameSequences(
        shuffled.sequences,
        order.map((n) => expected.sequences[n]!),
      );
      for (const n of [0, 3]) {
        const alone = compute(cell, drawn, [sequences[n]!], { reverse });
        expectSameSequences(alone.sequences, [expected.sequences[n]!]);
      }
    });

    it(`does not see how a sequence was cut, ${direction}`, () => {
      for (const lengths of [false, true]) {
        const expected = compute(cell, drawn, sequences, { reverse, lengths });
        const actual = compute(cell, drawn, sequences, { reverse, lengths, cut: 5 });
        expectSameSequences(actual.sequences, expected.sequences);
      }
    });

    it(`does not see how many threads there are, ${direction}`, () => {
      setThreads(1);
      const expected = compute(cell, drawn, sequences, { reverse });
      for (const count of [2, 3]) {
        setThreads(count);
        const actual = compute(cell, drawn, sequences, { reverse });
        expectSameSequences(actual.sequences, expected.sequences);
        expectSameBits(actual.weights, expected.weights);
      }
    });
  }
});
