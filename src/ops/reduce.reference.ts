import type { ReferenceOf } from "../autograd/op.ts";
import { type Shape, sizeOf, stridesOf } from "../tensor/shape.ts";
import type { argmaxOp, maxOp, Reduction } from "./reduce.ts";

/** Visits every element of x in order, with the place of the result it goes into. */
function eachElement(shape: Shape, axes: readonly number[], visit: (i: number, to: number) => void): void {
  const strides = stridesOf(shape);
  const own = stridesOf(shape.map((n, axis) => (axes.includes(axis) ? 1 : n)));
  for (let i = 0; i < sizeOf(shape); i++) {
    let to = 0;
    shape.forEach((n, axis) => {
      if (!axes.includes(axis)) to += (Math.floor(i / strides[axis]!) % n) * own[axis]!;
    });
    visit(i, to);
  }
}

function weighted(weight: (shape: Shape, axes: readonly number[]) => number): ReferenceOf<Reduction> {
  return {
    forward({ shapes, inputs: { x }, outputs: { y } }, { axes }) {
      y.fill(0);
      eachElement(shapes.x, axes, (i, to) => {
        y[to]! += x[i]! * weight(shapes.x, axes);
      });
    },
    backward({ shapes, gradOutputs: { y: dy }, gradInputs: { x: dx } }, { axes }) {
      eachElement(shapes.x, axes, (i, to) => {
        dx[i]! += dy[to]! * weight(shapes.x, axes);
      });
    },
  };
}

export const sum = weighted(() => 1);
export const mean = weighted((shape, axes) => 1 / sizeOf(axes.map((axis) => shape[axis]!)));

/** The largest elements along an axis and, for each, the first place in x that holds it. */
function largest(x: Float64Array, shape: Shape, axis: number, values: Float64Array): number[] {
  const places: number[] = [];
  eachElement(shape, [axis], (i, to) => {
    const before = values[to]!;
    if (places[to] === undefined || x[i]! > before || (Number.isNaN(x[i]) && !Number.isNaN(before))) {
      places[to] = i;
      values[to] = x[i]!;
    }
  });
  return places;
}

export const max: ReferenceOf<typeof maxOp> = {
  forward({ shapes, inputs: { x }, outputs: { y }, saved: { indices } }, { axis }) {
    indices.set(largest(x, shapes.x, axis, y));
  },
  backward({ saved: { indices }, gradOutputs: { y: dy }, gradInputs: { x: dx } }) {
    indices.forEach((at, i) => {
      dx[at]! += dy[i]!;
    });
  },
};

export const argmax: ReferenceOf<typeof argmaxOp> = {
  forward({ shapes, inputs: { x }, outputs: { y }, saved: { values } }, { axis }) {
    const stride = sizeOf(shapes.x.slice(axis + 1));
    y.set(largest(x, shapes.x, axis, values).map((at) => Math.floor(at / stride) % shapes.x[axis]!));
  },
};
