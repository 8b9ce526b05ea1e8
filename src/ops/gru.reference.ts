import type { ReferenceOf } from "../autograd/op.ts";
import type { gruOp } from "./gru.ts";
import {
  add,
  addOuter,
  addProduct,
  addTransposedProduct,
  readingOrder,
  row,
  rows,
  sigmoid,
} from "./sequence.reference.ts";

/** Per step and sequence, `gates` holds [r, z, n, m]: m = W_hn h + b_hn if reset after the product, r∘h if before. */
export const gru: ReferenceOf<typeof gruOp> = {
  forward({ shapes, inputs, outputs, saved }, { reverse, resetAfter }) {
    const [T, N, I] = shapes.x as [number, number, number];
    const H = shapes.weightHh[1]!;
    const Whrz = rows(inputs.weightHh, 0, 2 * H, H);
    const Whn = rows(inputs.weightHh, 2 * H, 3 * H, H);
    const bhn = inputs.biasHh.subarray(2 * H);
    outputs.output.fill(0);
    for (let n = 0; n < N; n++) {
      const h = new Float64Array(H);
      add(h, row(inputs.h0, n, H));
      for (const t of readingOrder(inputs.lengths[n] ?? T, reverse)) {
        const at = t * N + n;
        const a = new Float64Array(3 * H);
        addProduct(a, inputs.weightIh, row(inputs.x, at, I));
        add(a, inputs.biasIh);

        // r, z = σ(W_i x + b_i + W_h h + b_h)
        const rz = a.subarray(0, 2 * H);
        addProduct(rz, Whrz, h);
        add(rz, inputs.biasHh);
        const r = rz.subarray(0, H).map(sigmoid);
        const z = rz.subarray(H).map(sigmoid);

        const an = a.subarray(2 * H);
        const m = new Float64Array(H);
        if (resetAfter) {
          // n = tanh(W_in x + b_in + r∘(W_hn h + b_hn))
          addProduct(m, Whn, h);
          add(m, bhn);
          for (let i = 0; i < H; i++) an[i]! += r[i]! * m[i]!;
        } else {
          // n = tanh(W_in x + b_in + W_hn(r∘h) + b_hn)
          for (let i = 0; i < H; i++) m[i] = r[i]! * h[i]!;
          addProduct(an, Whn, m);
          add(an, bhn);
        }
        const candidate = an.map(Math.tanh);

        // h = (1 − z)∘n + z∘h
        for (let i = 0; i < H; i++) h[i] = (1 - z[i]!) * candidate[i]! + z[i]! * h[i]!;
        row(outputs.output, at, H).set(h);
        row(saved.gates, at, 4 * H).set([...r, ...z, ...candidate, ...m]);
      }
      row(outputs.h, n, H).set(h);
    }
  },

  backward({ shapes, inputs, outputs, saved, gradOutputs, gradInputs }, { reverse, resetAfter }) {
    const [T, N, I] = shapes.x as [number, number, number];
    const H = shapes.weightHh[1]!;
    const Whrz = rows(inputs.weightHh, 0, 2 * H, H);
    const Whn = rows(inputs.weightHh, 2 * H, 3 * H, H);
    const dWhrz = rows(gradInputs.weightHh, 0, 2 * H, H);
    const dWhn = rows(gradInputs.weightHh, 2 * H, 3 * H, H);
    for (let n = 0; n < N; n++) {
      const dh = new Float64Array(H);
      add(dh, row(gradOutputs.h, n, H));
      const order = readingOrder(inputs.lengths[n] ?? T, reverse);
      for (let k = order.length - 1; k >= 0; k--) {
        const at = order[k]! * N + n;
        const before = new Float64Array(H);
        add(before, k > 0 ? row(outputs.output, order[k - 1]! * N + n, H) : row(inputs.h0, n, H));
        const gates = row(saved.gates, at, 4 * H);
        const [r, z, candidate, m] = [0, 1, 2, 3].map((g) => row(gates, g, H)) as [
          Float64Array,
          Float64Array,
          Float64Array,
          Float64Array,
        ];
        add(dh, row(gradOutputs.output, at, H));

        // Through h = (1 − z)∘n + z∘h and the gates' own nonlinearities.
        const da = new Float64Array(3 * H);
        const [dar, daz, dan] = [0, 1, 2].map((g) => row(da, g, H)) as [
          Float64Array,
          Float64Array,
          Float64Array,
        ];
        const dm = new Float64Array(H);
        for (let i = 0; i < H; i++) {
          daz[i] = dh[i]! * (before[i]! - candidate[i]!) * z[i]! * (1 - z[i]!);
          dan[i] = dh[i]! * (1 - z[i]!) * (1 - candidate[i]! ** 2);
          dh[i]! *= z[i]!;
        }
        if (resetAfter) {
          for (let i = 0; i < H; i++) {
            dm[i] = dan[i]! * r[i]!;
            dar[i] = dan[i]! * m[i]! * r[i]! * (1 - r[i]!);
          }
          addOuter(dWhn, dm, before);
          addTransposedProduct(dh, Whn, dm);
          add(gradInputs.biasHh.subarray(2 * H), dm);
        } else {
          addTransposedProduct(dm, Whn, dan);
          for (let i = 0; i < H; i++) {
            dar[i] = dm[i]! * before[i]! * r[i]! * (1 - r[i]!);
            dh[i]! += dm[i]! * r[i]!;
          }
          addOuter(dWhn, dan, m);
          add(gradInputs.biasHh.subarray(2 * H), dan);
        }

        const darz = da.subarray(0, 2 * H);
        addOuter(gradInputs.weightIh, da, row(inputs.x, at, I));
        addOuter(dWhrz, darz, before);
        add(gradInputs.biasIh, da);
        add(gradInputs.biasHh.subarray(0, 2 * H), darz);
        addTransposedProduct(row(gradInputs.x, at, I), inputs.weightIh, da);
        addTransposedProduct(dh, Whrz, darz);
      }
      add(row(gradInputs.h0, n, H), dh);
    }
  },
};
