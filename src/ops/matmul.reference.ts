import type { ReferenceOf } from "../autograd/op.ts";
import { broadcastShapes, type Shape } from "../tensor/shape.ts";
import { batchIndex, type matmulOp } from "./matmul.ts";

/** Calls f with the positions of each product y[m,n] += a[m,k]·b[k,n] of each matrix of the batch. */
function eachProduct(shapes: { a: Shape; b: Shape }, f: (y: number, a: number, b: number) => void): void {
  const [M, K, N] = [shapes.a.at(-2)!, shapes.a.at(-1)!, shapes.b.at(-1)!];
  const leading = [shapes.a.slice(0, -2), shapes.b.slice(0, -2)] as const;
  const batch = broadcastShapes("matmul", ...leading);
  const ofA = batchIndex(leading[0], batch);
  const ofB = batchIndex(leading[1], batch);
  for (let i = 0; i < ofA.length; i++) {
    for (let m = 0; m < M; m++) {
      for (let n = 0; n < N; n++) {
        for (let k = 0; k < K; k++) {
          f((i * M + m) * N + n, (ofA[i]! * M + m) * K + k, (ofB[i]! * K + k) * N + n);
        }
      }
    }
  }
}

/** y = a·b, matrix by matrix */
export const matmul: ReferenceOf<typeof matmulOp> = {
  forward({ shapes, inputs: { a, b }, outputs: { y } }) {
    y.fill(0);
    eachProduct(shapes, (o, i, j) => {
      y[o]! += a[i]! * b[j]!;
    });
  },
  backward({ shapes, inputs: { a, b }, gradOutputs: { y: dy }, gradInputs: d }) {
    eachProduct(shapes, (o, i, j) => {
      if (d.a.length) d.a[i]! += dy[o]! * b[j]!;
      if (d.b.length) d.b[j]! += dy[o]! * a[i]!;
    });
  },
};
