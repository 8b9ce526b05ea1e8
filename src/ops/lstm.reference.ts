import type { ReferenceOf } from "../autograd/op.ts";
import { inferLstm, type lstmOp } from "./lstm.ts";
import {
  add,
  addOuter,
  addProduct,
  addTransposedProduct,
  readingOrder,
  row,
  sigmoid,
} from "./sequence.reference.ts";

/**
 * One sequence after the other, one step after the other:
 *   i = σ(W_ii x + W_hi h + b_i + p_i∘c)   f = σ(W_if x + W_hf h + b_f + p_f∘c)   g = tanh(W_ig x + W_hg h + b_g)
 *   c' = f∘c + i∘g                         o = σ(W_io x + W_ho h + b_o + p_o∘c')
 *   h' = W_hr (o∘tanh c'), without W_hr h' = o∘tanh c'
 */
export const lstm: ReferenceOf<typeof lstmOp> = {
  forward({ shapes, inputs, outputs, saved }, { reverse }) {
    const { T, N, I, H, R } = inferLstm(shapes);
    const { peephole: p, weightHr } = inputs;
    outputs.output.fill(0);
    for (let n = 0; n < N; n++) {
      const h = row(outputs.h, n, R).fill(0);
      const c = row(outputs.c, n, H).fill(0);
      add(h, row(inputs.h0, n, R));
      add(c, row(inputs.c0, n, H));
      for (const t of readingOrder(inputs.lengths[n] ?? T, reverse)) {
        const k = t * N + n;
        const a = row(saved.gates, k, 4 * H).fill(0);
        add(a, inputs.biasIh);
        add(a, inputs.biasHh);
        addProduct(a, inputs.weightIh, row(inputs.x, k, I));
        addProduct(a, inputs.weightHh, h);
        const y = weightHr.length ? row(saved.hidden, k, H) : h;
        for (let u = 0; u < H; u++) {
          const [i, f, g, o] = [u, H + u, 2 * H + u, 3 * H + u] as const;
          a[i] = sigmoid(a[i]! + (p[u] ?? 0) * c[u]!);
          a[f] = sigmoid(a[f]! + (p[H + u] ?? 0) * c[u]!);
          a[g] = Math.tanh(a[g]!);
          c[u] = a[f]! * c[u]! + a[i]! * a[g]!;
          a[o] = sigmoid(a[o]! + (p[2 * H + u] ?? 0) * c[u]!);
          y[u] = a[o]! * Math.tanh(c[u]!);
        }
        if (weightHr.length) addProduct(h.fill(0), weightHr, y);
        row(outputs.output, k, R).set(h);
        row(saved.cells, k, H).set(c);
      }
    }
  },

  backward({ shapes, inputs, outputs, saved, gradOutputs, gradInputs: d }, { reverse }) {
    const { T, N, I, H, R } = inferLstm(shapes);
    const { peephole: p, weightHr } = inputs;
    for (let n = 0; n < N; n++) {
      let dh = new Float64Array(R);
      const dc = new Float64Array(H);
      add(dh, row(gradOutputs.h, n, R));
      add(dc, row(gradOutputs.c, n, H));
      const order = readingOrder(inputs.lengths[n] ?? T, reverse);
      for (let s = order.length - 1; s >= 0; s--) {
        const k = order[s]! * N + n;
        const before = s > 0 ? order[s - 1]! * N + n : undefined;
        const h = before === undefined ? row(inputs.h0, n, R) : row(outputs.output, before, R);
        const c = before === undefined ? row(inputs.c0, n, H) : row(saved.cells, before, H);
        const next = row(saved.cells, k, H);
        const gates = row(saved.gates, k, 4 * H);
        add(dh, row(gradOutputs.output, k, R));
        let dy = dh;
        if (weightHr.length) {
          dy = new Float64Array(H);
          addTransposedProduct(dy, weightHr, dh);
          addOuter(d.weightHr, dh, row(saved.hidden, k, H));
        }
        const da = new Float64Array(4 * H);
        for (let u = 0; u < H; u++) {
          const [i, f, g, o] = [gates[u]!, gates[H + u]!, gates[2 * H + u]!, gates[3 * H + u]!];
          const tanhC = Math.tanh(next[u]!);
          const before = c[u] ?? 0;
          const dao = dy[u]! * tanhC * o * (1 - o);
          const dNext = dc[u]! + dy[u]! * o * (1 - tanhC ** 2) + dao * (p[2 * H + u] ?? 0);
          const dai = dNext * g * i * (1 - i);
          const daf = dNext * before * f * (1 - f);
          dc[u] = dNext * f + dai * (p[u] ?? 0) + daf * (p[H + u] ?? 0);
          da.set([dai], u);
          da.set([daf], H + u);
          da.set([dNext * i * (1 - g ** 2)], 2 * H + u);
          da.set([dao], 3 * H + u);
          if (d.peephole.length) {
            d.peephole[u]! += dai * before;
            d.peephole[H + u]! += daf * before;
            d.peephole[2 * H + u]! += dao * next[u]!;
          }
        }
        dh = new Float64Array(R);
        addTransposedProduct(dh, inputs.weightHh, da);
        if (d.x.length) addTransposedProduct(row(d.x, k, I), inputs.weightIh, da);
        addOuter(d.weightIh, da, row(inputs.x, k, I));
        addOuter(d.weightHh, da, h);
        add(d.biasIh, da);
        add(d.biasHh, da);
      }
      add(row(d.h0, n, R), dh);
      add(row(d.c0, n, H), dc);
    }
  },
};
