import type { ReferenceOf } from "../autograd/op.ts";
import type { minGruOp } from "./minimal.ts";
import {
  add,
  addOuter,
  addProduct,
  addTransposedProduct,
  readingOrder,
  row,
  sigmoid,
} from "./sequence.reference.ts";

/** g(x) and g′(x): continuous and positive, so that a scan could also run in logarithms. */
const g = (x: number) => (x >= 0 ? x + 0.5 : sigmoid(x));
const slope = (x: number) => (x >= 0 ? 1 : sigmoid(x) * (1 - sigmoid(x)));

interface MinimalCell {
  gates: number;
  /** h_t from the gates before their nonlinearities and h_{t−1}. */
  next(pre: readonly number[], before: number): number;
  /** From d, the gradient of h_t: those of the gates, and that of h_{t−1}. */
  back(pre: readonly number[], before: number, d: number): { dPre: readonly number[]; dBefore: number };
}

function minimal({ gates, next, back }: MinimalCell): ReferenceOf<typeof minGruOp> {
  const preOf = (pre: Float64Array, i: number) => {
    const H = pre.length / gates;
    return Array.from({ length: gates }, (_, gate) => pre[gate * H + i]!);
  };
  return {
    forward({ shapes, inputs, outputs, saved }, { reverse }) {
      const [T, N, I] = shapes.x as [number, number, number];
      const H = shapes.weightIh[0]! / gates;
      outputs.output.fill(0);
      for (let n = 0; n < N; n++) {
        const h = new Float64Array(H);
        add(h, row(inputs.h0, n, H));
        for (const t of readingOrder(inputs.lengths[n] ?? T, reverse)) {
          const at = t * N + n;
          const pre = row(saved.pre, at, gates * H);
          pre.fill(0);
          addProduct(pre, inputs.weightIh, row(inputs.x, at, I));
          add(pre, inputs.biasIh);
          for (let i = 0; i < H; i++) h[i] = next(preOf(pre, i), h[i]!);
          row(outputs.output, at, H).set(h);
        }
        row(outputs.h, n, H).set(h);
      }
    },

    backward({ shapes, inputs, outputs, saved, gradOutputs, gradInputs }, { reverse }) {
      const [T, N, I] = shapes.x as [number, number, number];
      const H = shapes.weightIh[0]! / gates;
      for (let n = 0; n < N; n++) {
        const dh = new Float64Array(H);
        add(dh, row(gradOutputs.h, n, H));
        const order = readingOrder(inputs.lengths[n] ?? T, reverse);
        for (let k = order.length - 1; k >= 0; k--) {
          const at = order[k]! * N + n;
          const before = k > 0 ? row(outputs.output, order[k - 1]! * N + n, H) : row(inputs.h0, n, H);
          add(dh, row(gradOutputs.output, at, H));
          const da = new Float64Array(gates * H);
          for (let i = 0; i < H; i++) {
            const { dPre, dBefore } = back(preOf(row(saved.pre, at, gates * H), i), before[i] ?? 0, dh[i]!);
            dPre.forEach((d, gate) => {
              da[gate * H + i] = d;
            });
            dh[i] = dBefore;
          }
          addOuter(gradInputs.weightIh, da, row(inputs.x, at, I));
          add(gradInputs.biasIh, da);
          addTransposedProduct(row(gradInputs.x, at, I), inputs.weightIh, da);
        }
        add(row(gradInputs.h0, n, H), dh);
      }
    },
  };
}

export const minGru = minimal({
  gates: 2,
  next([z, x], before) {
    const gate = sigmoid(z!);
    return (1 - gate) * before + gate * g(x!);
  },
  back([z, x], before, d) {
    const gate = sigmoid(z!);
    return {
      dPre: [d * (g(x!) - before) * gate * (1 - gate), d * gate * slope(x!)],
      dBefore: d * (1 - gate),
    };
  },
});

export const minLstm = minimal({
  gates: 3,
  next([p, q, x], before) {
    const [f, i] = [sigmoid(p!), sigmoid(q!)];
    return (f / (f + i)) * before + (i / (f + i)) * g(x!);
  },
  back([p, q, x], before, d) {
    const [f, i] = [sigmoid(p!), sigmoid(q!)];
    // f/(f + i) and i/(f + i) add up to 1: what one gains, the other loses.
    const change = (d * (before - g(x!)) * f * i) / (f + i) ** 2;
    return {
      dPre: [change * (1 - f), -change * (1 - i), ((d * i) / (f + i)) * slope(x!)],
      dBefore: (d * f) / (f + i),
    };
  },
});
