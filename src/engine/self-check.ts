import { control, PRODUCT_SCRATCH } from "./control.ts";
import type { Engine } from "./engine.ts";
import type { Family } from "./generated/abi.ts";

/**
 * Small computations with known answers, run when a family is first compiled; false means: do not trust this build. The
 * numbers are small multiples of powers of two, so that a product is exact on any build; activations are compared with
 * Math's. Those of families that few pages need come with the ops that use them.
 */
export const selfChecks: Partial<Record<Family, (engine: Engine) => boolean>> = {
  linear: withScratch(checkProduct),
  lstm: withScratch(checkLstm),
  gru: withScratch(checkGru),
  rnn: withScratch(checkRnn),
  pointwise: withScratch(checkPointwise),
  reduce: withScratch(checkReduce),
  shape: withScratch(checkShape),
  softmax: withScratch(checkSoftmax),
  norm: withScratch(checkNorm),
  dropout: withScratch(checkDropout),
  int8: withScratch(checkInt8),
};

// Sizes that meet every tile and every tail: 13 rows are tiles of 5, 4 and 4, 21 columns a whole panel and a part of one.
export const N = 13;
export const H = 21;

export function withScratch(check: (engine: Engine) => boolean): (engine: Engine) => boolean {
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
export const number = (i: number) => (((i * i + 7 * i + 3) % 11) - 5) / 8;
export const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

export function place(engine: Engine, length: number, value: (i: number) => number = () => 0): number {
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
  const none = { bias: 0, bias2: 0, bias2Columns: 0 };
  engine.run("packPanels", { b, bRow: 4, bColumn: 4 * k, ...none, k, n, out }, panels, panels);
  return out;
}

/** Σ_k a[row, k]·W[column, k] of the numbers. */
export function product(row: number, column: number, k: number): number {
  let sum = 0;
  for (let i = 0; i < k; i++) sum += number(row * k + i) * number(column * k + i);
  return sum;
}

/** Whether what stands at `address` is, to 1e-5, what it should be. */
export function holds(
  engine: Engine,
  address: number,
  length: number,
  expected: (i: number) => number,
): boolean {
  return engine.memory.f32(address, length).every((v, i) => Math.abs(v - expected(i)) <= 1e-5);
}

function checkProduct(engine: Engine): boolean {
  const wideTiles = engine.memory.i32(control.wideTiles, 1);
  const before = wideTiles[0]!;
  const right = [0, 1].every((wide) => {
    wideTiles[0] = wide;
    // One row has tiles of its own, of 64 and 32 columns.
    return holdsProduct(engine, N, H) && holdsProduct(engine, 1, 64 + 32 + H);
  });
  wideTiles[0] = before;
  return right;
}

function holdsProduct(engine: Engine, m: number, n: number): boolean {
  const k = 9;
  const strides = { aRow: 4 * k, aColumn: 4, cRow: 4 * n };
  const c = place(engine, m * n);
  const scratch = engine.memory.scratch(PRODUCT_SCRATCH);
  const args = { a: place(engine, m * k, number), b: packed(engine, k, n), c, ...strides, m, n, k };
  engine.run("gemmRows", { ...args, accumulate: 0, scratch, chunk: m }, m, m);
  return engine.memory.f32(c, m * n).every((v, i) => v === product(Math.floor(i / n), i % n, k));
}

/** What the recurrent checks have in common: one step of N sequences. */
export const sizes = { lengths: 0, T: 1, N, H, reverse: 0, chunk: N };
export const rowOf = (i: number) => Math.floor(i / H);

function checkLstm(engine: Engine): boolean {
  const gates = place(engine, N * 4 * H, number);
  const h = place(engine, N * H, number);
  const c = place(engine, N * H, number);
  const absent = { hidden: 0, weightHr: 0, peephole: 0 };
  const args = {
    ...{ ...sizes, ...absent, R: H, gates, h, c },
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

/** Rows of 21: two pairs of vectors, one more, and a tail. */
const rows = Array.from({ length: N }, (_, row) =>
  Float64Array.from({ length: H }, (_, j) => number(row * H + j)),
);
export const sum = (values: Float64Array) => values.reduce((a, b) => a + b, 0);

function checkPointwise(engine: Engine): boolean {
  const x = place(engine, N * H, (i) => number(i) + 1);
  const out = place(engine, N * H);
  const functions = { exp: Math.exp, log: Math.log, tanh: Math.tanh, sigmoid } as const;
  return (["exp", "log", "tanh", "sigmoid"] as const).every((name) => {
    engine.run(`${name}Forward`, { x, out, p: 0, q: 0 }, N * H, N * H);
    return holds(engine, out, N * H, (i) => functions[name](number(i) + 1));
  });
}

function checkReduce(engine: Engine): boolean {
  const x = place(engine, N * H, number);
  const out = place(engine, H);
  const common = { x, out, scale: 1, accumulate: 0 };
  engine.run("sumRows", { ...common, length: H, block: H }, N, N);
  if (!holds(engine, out, N, (row) => sum(rows[row]!))) return false;
  engine.run("sumColumns", { ...common, rows: N, width: H }, 2, 2);
  return holds(engine, out, H, (j) => sum(Float64Array.from(rows, (row) => row[j]!)));
}

function checkShape(engine: Engine): boolean {
  const src = place(engine, N * H, number);
  const dst = place(engine, N * H);
  const strides = { rows: H, columns: N, srcStride: H, dstStride: N };
  engine.run("permuteTiles", { src, dst, table: 0, rank: 0, ...strides, accumulate: 0 }, 2, 2);
  return holds(engine, dst, N * H, (i) => number((i % N) * H + Math.floor(i / N)));
}

function checkSoftmax(engine: Engine): boolean {
  const logits = place(engine, N * H, number);
  const targets = engine.memory.scratch(4 * N);
  engine.memory.i32(targets, N).set([...rows.keys()]);
  const losses = place(engine, N);
  const statistics = place(engine, 8 * N);
  const args = { logits, targets, losses, statistics, classes: H, ignored: -1, smoothing: 0 };
  engine.run("crossEntropyForward", args, N, N);
  return holds(engine, losses, N, (row) => Math.log(sum(rows[row]!.map(Math.exp))) - rows[row]![row]!);
}

function checkNorm(engine: Engine): boolean {
  const x = place(engine, N * H, number);
  const y = place(engine, N * H);
  const weight = place(engine, H, () => 1);
  const bias = place(engine, H);
  const args = { x, weight, bias, y, statistics: place(engine, 2 * N), scratch: place(engine, 8 * N) };
  engine.run("layerNormForward", { ...args, width: H, eps: 1 }, N, N);
  return holds(engine, y, N * H, (i) => {
    const row = rows[rowOf(i)]!;
    const mean = sum(row) / H;
    return (number(i) - mean) / Math.sqrt(sum(row.map((v) => (v - mean) ** 2)) / H + 1);
  });
}

/** Which of 32 units stay is Philox's answer to a key and a counter of zeros, at p = ½. */
function checkDropout(engine: Engine): boolean {
  const keys = engine.memory.scratch(80);
  engine.memory.i32(keys, 20).forEach((_, i, view) => {
    view[i] = Math.floor(i / 2) * (i % 2 ? 0xbb67ae85 : 0x9e3779b9);
  });
  const mask = place(engine, 1);
  const counter = { keys, step: 0, firstTime: 0, firstRow: 0, timeScale: 1, batch: 1 };
  const args = { x: place(engine, 32), y: place(engine, 32), mask, width: 32, threshold: 2 ** 31, scale: 2 };
  engine.run("dropoutForward", { ...args, ...counter }, 1, 1);
  return engine.memory.i32(mask, 1)[0] === 0x0674f7d4;
}

/** Rows of the numbers as whole multiples, up to so many, of a scale each. */
function rounded(row: number, k: number, levels: number): { q: number[]; scale: number } {
  const values = Array.from({ length: k }, (_, i) => number(row * k + i));
  const most = Math.max(...values.map(Math.abs));
  return { q: values.map((v) => Math.round((v / most) * levels)), scale: most / levels };
}

function checkInt8(engine: Engine): boolean {
  const [m, n, k] = [2, 64 + H, 9];
  const panels = Math.ceil(n / 16);
  const weight = engine.memory.scratch(panels * (128 + 64 * Math.ceil(k / 4)));
  engine.run("packInt8", { weight: place(engine, n * k, number), n, k, out: weight }, panels, panels);
  const a = engine.memory.scratch(m * 4 * Math.ceil(k / 4));
  const scales = place(engine, m);
  engine.run("roundRows", { a: place(engine, m * k, number), aRow: 4 * k, k, out: a, scales }, m, m);
  const c = place(engine, m * n);
  const none = { bias: 0, bias2: 0, bias2Columns: 0, first: 0, accumulate: 0 };
  const args = { a, scales, b: weight, c, cRow: 4 * n, ...none, m, n, k };
  engine.run("int8Product", { ...args, sums: engine.memory.scratch(256), chunk: panels }, panels, panels);
  return holds(engine, c, m * n, (i) => {
    const x = rounded(Math.floor(i / n), k, 63);
    const w = rounded(i % n, k, 127);
    return x.scale * w.scale * x.q.reduce((sum, q, j) => sum + q * w.q[j]!, 0);
  });
}
