import type { ReferenceOf } from "../autograd/op.ts";
import type { logSoftmaxOp, softmaxOp } from "./softmax.ts";
import type { topLogProbsOp } from "./top-log-probs.ts";

/** Visits each row [from, to) of a matrix of `width` columns. */
function eachRow(size: number, width: number, visit: (from: number, to: number) => void): void {
  for (let from = 0; from < size; from += width) visit(from, from + width);
}

export function logSumExp(row: Float64Array): number {
  const top = row.reduce((a, b) => Math.max(a, b));
  return top + Math.log(row.reduce((sum, x) => sum + Math.exp(x - top), 0));
}

export const softmax: ReferenceOf<typeof softmaxOp> = {
  forward({ shapes, inputs: { x }, outputs: { y } }) {
    eachRow(x.length, shapes.x.at(-1)!, (from, to) => {
      const total = logSumExp(x.subarray(from, to));
      for (let i = from; i < to; i++) y[i] = Math.exp(x[i]! - total);
    });
  },
  backward({ shapes, outputs: { y }, gradOutputs: { y: dy }, gradInputs: { x: dx } }) {
    eachRow(y.length, shapes.x.at(-1)!, (from, to) => {
      let dot = 0;
      for (let i = from; i < to; i++) dot += dy[i]! * y[i]!;
      for (let i = from; i < to; i++) dx[i]! += y[i]! * (dy[i]! - dot);
    });
  },
};

export const logSoftmax: ReferenceOf<typeof logSoftmaxOp> = {
  forward({ shapes, inputs: { x }, outputs: { y } }) {
    eachRow(x.length, shapes.x.at(-1)!, (from, to) => {
      const total = logSumExp(x.subarray(from, to));
      for (let i = from; i < to; i++) y[i] = x[i]! - total;
    });
  },
  backward({ shapes, outputs: { y }, gradOutputs: { y: dy }, gradInputs: { x: dx } }) {
    eachRow(y.length, shapes.x.at(-1)!, (from, to) => {
      let sum = 0;
      for (let i = from; i < to; i++) sum += dy[i]!;
      for (let i = from; i < to; i++) dx[i]! += dy[i]! - Math.exp(y[i]!) * sum;
    });
  },
};

export const topLogProbs: ReferenceOf<typeof topLogProbsOp> = {
  forward({ shapes, inputs: { x }, outputs }, { count }) {
    const width = shapes.x.at(-1)!;
    let out = 0;
    eachRow(x.length, width, (from, to) => {
      const total = logSumExp(x.subarray(from, to));
      const order = Array.from({ length: width }, (_, i) => i).sort(
        (i, j) => x[from + j]! - x[from + i]! || i - j,
      );
      for (const token of order.slice(0, count)) {
        outputs.logProbs[out] = x[from + token]! - total;
        outputs.tokens[out++] = token;
      }
    });
  },
};
