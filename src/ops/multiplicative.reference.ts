import type { ReferenceOf } from "../autograd/op.ts";
import type { mlstmOp } from "./mlstm.ts";
import type { mrnnOp } from "./mrnn.ts";
import {
  add,
  addOuter,
  addProduct,
  addTransposedProduct,
  readingOrder,
  row,
  sigmoid,
} from "./sequence.reference.ts";

interface Weights {
  weightIm: Float64Array;
  weightHm: Float64Array;
  weightIh: Float64Array;
  weightHh: Float64Array;
  biasIh: Float64Array;
  biasHh: Float64Array;
}

/** m = (W_im x)∘(W_hm h), and what the cell makes of both: a = W_ih x + W_hh m + b. */
function factorsOf({ weightIm, weightHm }: Weights, F: number, x: Float64Array, h: Float64Array) {
  const [fromInput, fromState] = [new Float64Array(F), new Float64Array(F)];
  addProduct(fromInput, weightIm, x);
  addProduct(fromState, weightHm, h);
  return { fromInput, fromState, m: fromInput.map((value, i) => value * fromState[i]!) };
}

function preactivation(w: Weights, width: number, x: Float64Array, m: Float64Array): Float64Array {
  const a = new Float64Array(width);
  add(a, w.biasIh);
  add(a, w.biasHh);
  addProduct(a, w.weightIh, x);
  addProduct(a, w.weightHh, m);
  return a;
}

/** From ∂a to the gradients of weights and x; gives that of the h before. */
function backwardFrom(
  da: Float64Array,
  w: Weights,
  { F, x, h, dx, d }: { F: number; x: Float64Array; h: Float64Array; dx: Float64Array; d: Weights },
): Float64Array {
  const { fromInput, fromState, m } = factorsOf(w, F, x, h);
  const dm = new Float64Array(F);
  addTransposedProduct(dm, w.weightHh, da);
  const dFromInput = dm.map((value, i) => value * fromState[i]!);
  const dFromState = dm.map((value, i) => value * fromInput[i]!);
  addTransposedProduct(dx, w.weightIh, da);
  addTransposedProduct(dx, w.weightIm, dFromInput);
  addOuter(d.weightIh, da, x);
  addOuter(d.weightHh, da, m);
  addOuter(d.weightIm, dFromInput, x);
  addOuter(d.weightHm, dFromState, h);
  add(d.biasIh, da);
  add(d.biasHh, da);
  const dh = new Float64Array(h.length);
  addTransposedProduct(dh, w.weightHm, dFromState);
  return dh;
}

export const mrnn: ReferenceOf<typeof mrnnOp> = {
  forward({ shapes, inputs, outputs }, { reverse }) {
    const [T, N, I] = shapes.x as [number, number, number];
    const [F, H] = shapes.weightHm as [number, number];
    outputs.output.fill(0);
    for (let n = 0; n < N; n++) {
      const h = row(outputs.h, n, H).fill(0);
      add(h, row(inputs.h0, n, H));
      for (const t of readingOrder(inputs.lengths[n] ?? T, reverse)) {
        const x = row(inputs.x, t * N + n, I);
        h.set(preactivation(inputs, H, x, factorsOf(inputs, F, x, h).m).map(Math.tanh));
        row(outputs.output, t * N + n, H).set(h);
      }
    }
  },

  backward({ shapes, inputs, outputs, gradOutputs, gradInputs: d }, { reverse }) {
    const [T, N, I] = shapes.x as [number, number, number];
    const [F, H] = shapes.weightHm as [number, number];
    for (let n = 0; n < N; n++) {
      let dh = new Float64Array(H);
      add(dh, row(gradOutputs.h, n, H));
      const order = readingOrder(inputs.lengths[n] ?? T, reverse);
      for (let s = order.length - 1; s >= 0; s--) {
        const k = order[s]! * N + n;
        const before = s > 0 ? row(outputs.output, order[s - 1]! * N + n, H) : row(inputs.h0, n, H);
        const h = new Float64Array(H);
        add(h, before);
        add(dh, row(gradOutputs.output, k, H));
        const y = row(outputs.output, k, H);
        const da = dh.map((value, u) => value * (1 - y[u]! ** 2));
        dh = backwardFrom(da, inputs, { F, x: row(inputs.x, k, I), h, dx: row(d.x, k, I), d }) as typeof dh;
      }
      add(row(d.h0, n, H), dh);
    }
  },
};

export const mlstm: ReferenceOf<typeof mlstmOp> = {
  forward({ shapes, inputs, outputs, saved }, { reverse }) {
    const [T, N, I] = shapes.x as [number, number, number];
    const [F, H] = shapes.weightHm as [number, number];
    outputs.output.fill(0);
    for (let n = 0; n < N; n++) {
      const h = row(outputs.h, n, H).fill(0);
      const c = row(outputs.c, n, H).fill(0);
      add(h, row(inputs.h0, n, H));
      add(c, row(inputs.c0, n, H));
      for (const t of readingOrder(inputs.lengths[n] ?? T, reverse)) {
        const k = t * N + n;
        const x = row(inputs.x, k, I);
        const a = preactivation(inputs, 4 * H, x, factorsOf(inputs, F, x, h).m);
        row(saved.before, k, H).set(c);
        for (let u = 0; u < H; u++) {
          const [i, f, g, o] = [u, H + u, 2 * H + u, 3 * H + u] as const;
          for (const gate of [i, f, o]) a[gate] = sigmoid(a[gate]!);
          a[g] = Math.tanh(a[g]!);
          c[u] = a[f]! * c[u]! + a[i]! * a[g]!;
          h[u] = a[o]! * Math.tanh(c[u]!);
        }
        row(saved.gates, k, 4 * H).set(a);
        row(saved.cells, k, H).set(c);
        row(outputs.output, k, H).set(h);
      }
    }
  },

  backward({ shapes, inputs, outputs, saved, gradOutputs, gradInputs: d }, { reverse }) {
    const [T, N, I] = shapes.x as [number, number, number];
    const [F, H] = shapes.weightHm as [number, number];
    for (let n = 0; n < N; n++) {
      let dh = new Float64Array(H);
      const dc = new Float64Array(H);
      add(dh, row(gradOutputs.h, n, H));
      add(dc, row(gradOutputs.c, n, H));
      const order = readingOrder(inputs.lengths[n] ?? T, reverse);
      for (let s = order.length - 1; s >= 0; s--) {
        const k = order[s]! * N + n;
        const h = new Float64Array(H);
        add(h, s > 0 ? row(outputs.output, order[s - 1]! * N + n, H) : row(inputs.h0, n, H));
        add(dh, row(gradOutputs.output, k, H));
        const gates = row(saved.gates, k, 4 * H);
        const [cells, before] = [row(saved.cells, k, H), row(saved.before, k, H)];
        const da = new Float64Array(4 * H);
        for (let u = 0; u < H; u++) {
          const [i, f, g, o] = [gates[u]!, gates[H + u]!, gates[2 * H + u]!, gates[3 * H + u]!];
          const tanhC = Math.tanh(cells[u]!);
          const dNext = dc[u]! + dh[u]! * o * (1 - tanhC ** 2);
          da[u] = dNext * g * i * (1 - i);
          da[H + u] = dNext * before[u]! * f * (1 - f);
          da[2 * H + u] = dNext * i * (1 - g ** 2);
          da[3 * H + u] = dh[u]! * tanhC * o * (1 - o);
          dc[u] = dNext * f;
        }
        dh = backwardFrom(da, inputs, { F, x: row(inputs.x, k, I), h, dx: row(d.x, k, I), d }) as typeof dh;
      }
      add(row(d.h0, n, H), dh);
      add(row(d.c0, n, H), dc);
    }
  },
};
