import type { ReferenceOf } from "../autograd/op.ts";
import type { complexScanOp, linearScanOp } from "./linear-scan.ts";
import { add, readingOrder, row } from "./sequence.reference.ts";

export const linearScan: ReferenceOf<typeof linearScanOp> = {
  forward({ shapes, inputs, outputs }, { reverse }) {
    const [T, N, H] = shapes.a as [number, number, number];
    outputs.output.fill(0);
    for (let n = 0; n < N; n++) {
      const h = row(outputs.h, n, H);
      h.fill(0);
      add(h, row(inputs.h0, n, H));
      for (const t of readingOrder(inputs.lengths[n] ?? T, reverse)) {
        const [a, b] = [row(inputs.a, t * N + n, H), row(inputs.b, t * N + n, H)];
        for (let i = 0; i < H; i++) h[i] = a[i]! * h[i]! + b[i]!;
        row(outputs.output, t * N + n, H).set(h);
      }
    }
  },

  backward({ shapes, inputs, outputs, gradOutputs, gradInputs }, { reverse }) {
    const [T, N, H] = shapes.a as [number, number, number];
    for (let n = 0; n < N; n++) {
      const dh = new Float64Array(H);
      add(dh, row(gradOutputs.h, n, H));
      const order = readingOrder(inputs.lengths[n] ?? T, reverse);
      for (let k = order.length - 1; k >= 0; k--) {
        const at = order[k]! * N + n;
        const before = k > 0 ? row(outputs.output, order[k - 1]! * N + n, H) : row(inputs.h0, n, H);
        add(dh, row(gradOutputs.output, at, H));
        add(row(gradInputs.b, at, H), dh);
        const a = row(inputs.a, at, H);
        const da = row(gradInputs.a, at, H);
        for (let i = 0; i < H; i++) {
          if (da.length > 0) da[i]! += dh[i]! * (before[i] ?? 0);
          dh[i]! *= a[i]!;
        }
      }
      add(row(gradInputs.h0, n, H), dh);
    }
  },
};

export const complexScan: ReferenceOf<typeof complexScanOp> = {
  forward({ shapes, inputs, outputs }, { reverse }) {
    const [T, N, width] = shapes.x as [number, number, number];
    const H = width / 2;
    const { lambda } = inputs;
    outputs.output.fill(0);
    for (let n = 0; n < N; n++) {
      const h = row(outputs.h, n, width);
      h.fill(0);
      add(h, row(inputs.h0, n, width));
      for (const t of readingOrder(inputs.lengths[n] ?? T, reverse)) {
        const x = row(inputs.x, t * N + n, width);
        for (let i = 0; i < H; i++) {
          const [re, im] = [h[i]!, h[H + i]!];
          h[i] = lambda[i]! * re - lambda[H + i]! * im + x[i]!;
          h[H + i] = lambda[i]! * im + lambda[H + i]! * re + x[H + i]!;
        }
        row(outputs.output, t * N + n, width).set(h);
      }
    }
  },

  backward({ shapes, inputs, outputs, gradOutputs, gradInputs }, { reverse }) {
    const [T, N, width] = shapes.x as [number, number, number];
    const H = width / 2;
    const { lambda } = inputs;
    for (let n = 0; n < N; n++) {
      const dh = new Float64Array(width);
      add(dh, row(gradOutputs.h, n, width));
      const order = readingOrder(inputs.lengths[n] ?? T, reverse);
      for (let k = order.length - 1; k >= 0; k--) {
        const at = order[k]! * N + n;
        const before = k > 0 ? row(outputs.output, order[k - 1]! * N + n, width) : row(inputs.h0, n, width);
        add(dh, row(gradOutputs.output, at, width));
        add(row(gradInputs.x, at, width), dh);
        for (let i = 0; i < H; i++) {
          const [re, im] = [dh[i]!, dh[H + i]!];
          if (gradInputs.lambda.length > 0 && before.length > 0) {
            // d∘conj h_{t−1}
            gradInputs.lambda[i]! += re * before[i]! + im * before[H + i]!;
            gradInputs.lambda[H + i]! += im * before[i]! - re * before[H + i]!;
          }
          // d∘conj λ
          dh[i] = re * lambda[i]! + im * lambda[H + i]!;
          dh[H + i] = im * lambda[i]! - re * lambda[H + i]!;
        }
      }
      add(row(gradInputs.h0, n, width), dh);
    }
  },
};
