import type { ReferenceOf } from "../autograd/op.ts";
import { type Shape, sizeOf } from "../tensor/shape.ts";
import type { concatOp, sliceOp } from "./slice.ts";

const outer = (shape: Shape, axis: number) => sizeOf(shape.slice(0, axis));
const inner = (shape: Shape, axis: number) => sizeOf(shape.slice(axis + 1));

export const slice: ReferenceOf<typeof sliceOp> = {
  forward({ shapes, inputs: { x }, outputs: { y } }, { axis, start, end }) {
    const n = inner(shapes.x, axis);
    const stride = shapes.x[axis]! * n;
    for (let o = 0, at = 0; o < outer(shapes.x, axis); o++) {
      for (let i = start * n; i < end * n; i++) y[at++] = x[o * stride + i]!;
    }
  },
  backward({ shapes, gradOutputs: { y: dy }, gradInputs: { x: dx } }, { axis, start, end }) {
    const n = inner(shapes.x, axis);
    const stride = shapes.x[axis]! * n;
    for (let o = 0, at = 0; o < outer(shapes.x, axis); o++) {
      for (let i = start * n; i < end * n; i++) dx[o * stride + i]! += dy[at++]!;
    }
  },
};

export const concat: ReferenceOf<typeof concatOp> = {
  forward({ shapes, inputs, outputs }, { axis }) {
    const y = outputs.y!;
    const names = Object.keys(shapes);
    for (let o = 0, at = 0; o < outer(shapes[names[0]!]!, axis); o++) {
      for (const name of names) {
        const width = sizeOf(shapes[name]!.slice(axis));
        for (let i = 0; i < width; i++) y[at++] = inputs[name]![o * width + i]!;
      }
    }
  },
  backward({ shapes, gradOutputs, gradInputs }, { axis }) {
    const dy = gradOutputs.y!;
    const names = Object.keys(shapes);
    for (let o = 0, at = 0; o < outer(shapes[names[0]!]!, axis); o++) {
      for (const name of names) {
        const dx = gradInputs[name]!;
        const width = sizeOf(shapes[name]!.slice(axis));
        for (let i = 0; i < width; i++, at++) if (dx.length) dx[o * width + i]! += dy[at]!;
      }
    }
  },
};
