import { control, PRODUCT_SCRATCH } from "./control.ts";
import type { Engine } from "./engine.ts";
import type { Family } from "./generated/abi.ts";

/**
 * Small computations with known answers, run when a family is first compiled; false means: do not trust this build. The
 * numbers are small multiples of powers of two, so that a product is exact on any build; activations are compared with
 * Math's.
 */
export const selfChecks: Partial<Record<Family, (engine: Engine) => boolean>> = {
  linear: withScratch(checkProduct),
  lstm: withScratch(checkLstm),
  gru: withScratch(checkGru),
  rnn: withScratch(checkRnn),
};

// Sizes that meet every tile and every tail: 13 rows are tiles of 5, 4 and 4, 21 columns a whole panel and a part of one.
const N = 13;
const H = 21;

function withScratch(check: (engine: Engine) => boolean): (engine: Engine) => boolean {
  return (engine) => {
    const mark = engine.memory.mark();
    try {
      return check(engine);
    } finally {
      engine.memory.rewind(mark);
    }
  };
}

/** The i-th number: eighths from −5/8 to 5/8, in no simple order. */
const number = (i: number) => (((i * i + 7 * i + 3) % 11) - 5) / 8;
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

function place(engine: Engine, length: number, value: (i: number) => number = () => 0): number {
  const address = engine.memory.scratch(4 * length);
  engine.memory.f32(address, length).forEach((_, i, view) => {
    view[i] = value(i);
  });
  return address;
}

/** W [n, k] of the numbers, transposed and packed. */
function packed(engine: Engine, k: number, n: number): number {
  const panels = Math.ceil(n / 16);
  const out = place(engine, panels * 16 * (k + 1));
  const b = place(engine, n * k, number);
  engine.run("packPanels", { b, bRow: 4, bColumn: 4 * k, bias: 0, bias2: 0, k, n, out }, panels, panels);
  return out;
}

/** Σ_k a[row, k]·W[column, k] of the numbers. */
function product(row: number, column: number, k: number): number {
  let sum = 0;
  for (let i = 0; i < k; i++) sum += number(row * k + i) * number(column * k + i);
  return sum;
}

/** Whether what stands at `address` is, to 1e-5, what it should be. */
function holds(engine: Engine, address: number, length: number, expected: (i: number) => number): boolean {
  return engine.memory.f32(address, length).every((v, i) => Math.abs(v - expected(i)) <= 1e-5);
}

function checkProduct(engine: Engine): boolean {
  const k = 9;
  const wideTiles = engine.memory.i32(control.wideTiles, 1);
  const before = wideTiles[0]!;
  const a = place(engine, N * k, number);
  const b = packed(engine, k, H);
  const scratch = engine.memory.scratch(PRODUCT_SCRATCH);
  const right = [0, 1].every((wide) => {
    wideTiles[0] = wide;
    const c = place(engine, N * H);
    const strides = { aRow: 4 * k, aColumn: 4, cRow: 4 * H };
    const args = { a, b, c, ...strides, m: N, n: H, k, accumulate: 0, scratch, chunk: N };
    engine.run("gemmRows", args, N, N);
    return engine.memory.f32(c, N * H).every((v, i) => v === product(Math.floor(i / H), i % H, k));
  });
  wideTiles[0] = before;
  return right;
}

/** What the recurrent checks have in common: one step of N sequences. */
const sizes = { lengths: 0, T: 1, N, H, reverse: 0, chunk: N };
const rowOf = (i: number) => Math.floor(i / H);

function checkLstm(engine: Engine): boolean {
  const gates = place(engine, N * 4 * H, number);
  const h = place(engine, N * H, number);
  const c = place(engine, N * H, number);
  const absent = { x: 0, hidden: 0, weightIh: 0, weightHr: 0, peephole: 0 };
  const args = {
    ...{ ...sizes, ...absent, I: 0, R: H, gates, h, c },
    output: place(engine, N * H),
    cells: place(engine, N * H),
    weightHh: packed(engine, H, 4 * H),
    scratch: engine.memory.scratch(PRODUCT_SCRATCH),
  };
  engine.run("lstmForward", args, N, N);
  const gate = (i: number, which: number) => {
    const column = which * H + (i % H);
    return number(rowOf(i) * 4 * H + column) + product(rowOf(i), column, H);
  };
  const cell = (i: number) => sigmoid(gate(i, 1)) * number(i) + sigmoid(gate(i, 0)) * Math.tanh(gate(i, 2));
  return (
    holds(engine, c, N * H, cell) && holds(engine, h, N * H, (i) => sigmoid(gate(i, 3)) * Math.tanh(cell(i)))
  );
}

function checkGru(engine: Engine): boolean {
  const gates = place(engine, N * 4 * H, number);
  const h = place(engine, N * H, number);
  const args = {
    ...{ ...sizes, resetAfter: 1, gates, h },
    output: place(engine, N * H),
    weightRZ: packed(engine, H, 2 * H),
    weightN: packed(engine, H, H),
    scratch: engine.memory.scratch(PRODUCT_SCRATCH),
  };
  engine.run("gruForward", args, N, N);
  const gate = (i: number, which: number) => {
    const column = which * H + (i % H);
    return sigmoid(number(rowOf(i) * 4 * H + column) + product(rowOf(i), column, H));
  };
  return holds(engine, h, N * H, (i) => {
    const z = gate(i, 1);
    const fromState = gate(i, 0) * product(rowOf(i), i % H, H);
    const n = Math.tanh(number(rowOf(i) * 4 * H + 2 * H + (i % H)) + fromState);
    return (1 - z) * n + z * number(i);
  });
}

function checkRnn(engine: Engine): boolean {
  const output = place(engine, N * H, number);
  const h = place(engine, N * H, number);
  const weight = packed(engine, H, H);
  const scratch = engine.memory.scratch(PRODUCT_SCRATCH);
  engine.run("rnnForward", { ...sizes, nonlinearity: 0, output, h, weight, scratch }, N, N);
  return holds(engine, h, N * H, (i) => Math.tanh(number(i) + product(rowOf(i), i % H, H)));
}
