import type { ReferenceOf } from "../autograd/op.ts";
import { broadcastShapes, type Shape, sizeOf, stridesOf } from "../tensor/shape.ts";
import type { Binary } from "./binary.ts";

/** For each element of the broadcast shape, in order: where it comes from in each operand. */
function eachPair(a: Shape, b: Shape, visit: (i: number, atA: number, atB: number) => void): void {
  const shape = broadcastShapes("reference", a, b);
  const strides = stridesOf(shape);
  const place = (operand: Shape, i: number) => {
    const own = stridesOf(operand);
    let at = 0;
    operand.forEach((size, axis) => {
      const outAxis = shape.length - operand.length + axis;
      const index = Math.floor(i / strides[outAxis]!) % shape[outAxis]!;
      if (size !== 1) at += index * own[axis]!;
    });
    return at;
  };
  for (let i = 0; i < sizeOf(shape); i++) visit(i, place(a, i), place(b, i));
}

/** y = f(a, b), and the partial derivatives. */
function binary(
  f: (a: number, b: number) => number,
  byA: (a: number, b: number) => number,
  byB: (a: number, b: number) => number,
): ReferenceOf<Binary> {
  return {
    forward({ shapes, inputs: { a, b }, outputs: { y } }) {
      eachPair(shapes.a, shapes.b, (i, atA, atB) => {
        y[i] = f(a[atA]!, b[atB]!);
      });
    },
    backward({ shapes, inputs: { a, b }, gradOutputs: { y: dy }, gradInputs: { a: da, b: db } }) {
      eachPair(shapes.a, shapes.b, (i, atA, atB) => {
        if (da.length) da[atA]! += dy[i]! * byA(a[atA]!, b[atB]!);
        if (db.length) db[atB]! += dy[i]! * byB(a[atA]!, b[atB]!);
      });
    },
  };
}

const half = (wins: boolean, ties: boolean) => (ties ? 0.5 : wins ? 1 : 0);

export const add = binary(
  (a, b) => a + b,
  () => 1,
  () => 1,
);
export const sub = binary(
  (a, b) => a - b,
  () => 1,
  () => -1,
);
export const mul = binary(
  (a, b) => a * b,
  (_, b) => b,
  (a) => a,
);
export const div = binary(
  (a, b) => a / b,
  (_, b) => 1 / b,
  (a, b) => -a / b ** 2,
);
export const maximum = binary(
  Math.max,
  (a, b) => half(a > b, a === b),
  (a, b) => half(b > a, a === b),
);
export const minimum = binary(
  Math.min,
  (a, b) => half(a < b, a === b),
  (a, b) => half(b < a, a === b),
);
