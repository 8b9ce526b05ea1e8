import type { ReferenceOf } from "../autograd/op.ts";
import type { Nonlinearity, rnnOp } from "./rnn.ts";
import {
  add,
  addOuter,
  addProduct,
  addTransposedProduct,
  readingOrder,
  row,
  sigmoid,
} from "./sequence.reference.ts";

const activation: Record<Nonlinearity, (a: number) => number> = {
  tanh: Math.tanh,
  relu: (a) => Math.max(a, 0),
  sigmoid,
};

/** dh/da in terms of h. */
const slope: Record<Nonlinearity, (h: number) => number> = {
  tanh: (h) => 1 - h * h,
  relu: (h) => (h > 0 ? 1 : 0),
  sigmoid: (h) => h * (1 - h),
};

export const rnn: ReferenceOf<typeof rnnOp> = {
  forward({ shapes, inputs, outputs }, { reverse, nonlinearity }) {
    const [T, N, I] = shapes.x as [number, number, number];
    const H = shapes.weightHh[1]!;
    const f = activation[nonlinearity];
    outputs.output.fill(0);
    for (let n = 0; n < N; n++) {
      const h = new Float64Array(H);
      add(h, row(inputs.h0, n, H));
      for (const t of readingOrder(inputs.lengths[n] ?? T, reverse)) {
        const at = t * N + n;
        // h = f(W_ih x + b_ih + W_hh h + b_hh)
        const a = new Float64Array(H);
        addProduct(a, inputs.weightIh, row(inputs.x, at, I));
        addProduct(a, inputs.weightHh, h);
        add(a, inputs.biasIh);
        add(a, inputs.biasHh);
        h.set(a.map(f));
        row(outputs.output, at, H).set(h);
      }
      row(outputs.h, n, H).set(h);
    }
  },

  backward({ shapes, inputs, outputs, gradOutputs, gradInputs }, { reverse, nonlinearity, omega }) {
    const [T, N, I] = shapes.x as [number, number, number];
    const H = shapes.weightHh[1]!;
    const pairs: Pair[] = [];
    for (let n = 0; n < N; n++) {
      const dh = new Float64Array(H);
      add(dh, row(gradOutputs.h, n, H));
      const order = readingOrder(inputs.lengths[n] ?? T, reverse);
      for (let k = order.length - 1; k >= 0; k--) {
        const at = order[k]! * N + n;
        const h = row(outputs.output, at, H);
        const before = k > 0 ? row(outputs.output, order[k - 1]! * N + n, H) : row(inputs.h0, n, H);
        add(dh, row(gradOutputs.output, at, H));
        const da = dh.map((d, i) => d * slope[nonlinearity](h[i]!));

        addOuter(gradInputs.weightIh, da, row(inputs.x, at, I));
        addOuter(gradInputs.weightHh, da, before);
        add(gradInputs.biasIh, da);
        add(gradInputs.biasHh, da);
        addTransposedProduct(row(gradInputs.x, at, I), inputs.weightIh, da);
        dh.fill(0);
        addTransposedProduct(dh, inputs.weightHh, da);
        if (k > 0) pairs.push({ da, slopes: before.map(slope[nonlinearity]) });
      }
      add(row(gradInputs.h0, n, H), dh);
    }
    if (omega > 0) addOmegaGradient(gradInputs.weightHh, inputs.weightHh, pairs, omega);
  },
};

/** Two neighbouring steps: the gradient at the later one before f, and f' at the earlier. */
interface Pair {
  da: Float64Array;
  slopes: Float64Array;
}

/** A gradient whose squared norm is below this has vanished. */
const GONE = 1e-30;

const squares = (x: Float64Array) => x.reduce((sum, value) => sum + value * value, 0);

/**
 * dW += omega · ∂⁺Ω/∂W (Pascanu et al. 2013, eq. 10): with g = ∂E/∂x_{k+1} and v = Wᵀg ∘ f'(x_k) a pair's part of Ω is
 * (‖v‖/‖g‖ − 1)², and ∂‖v‖/∂W = g ⊗ (v ∘ f'(x_k)) / ‖v‖.
 */
function addOmegaGradient(dW: Float64Array, W: Float64Array, pairs: Pair[], omega: number): void {
  if (dW.length === 0) return;
  const counted = pairs.filter(({ da }) => squares(da) >= GONE);
  for (const { da, slopes } of counted) {
    const u = new Float64Array(slopes.length);
    addTransposedProduct(u, W, da);
    const v = u.map((value, j) => value * slopes[j]!);
    const [gNorm, vNorm] = [Math.sqrt(squares(da)), Math.sqrt(squares(v))];
    if (vNorm === 0) continue;
    const factor = ((omega / counted.length) * 2 * (vNorm / gNorm - 1)) / (gNorm * vNorm);
    addOuter(
      dW,
      da,
      v.map((value, j) => factor * value * slopes[j]!),
    );
  }
}
