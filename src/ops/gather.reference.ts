import type { ReferenceOf } from "../autograd/op.ts";
import { sizeOf } from "../tensor/shape.ts";
import { type embeddingOp, type gatherOp, indexError, tokenError } from "./gather.ts";

export const gather: ReferenceOf<typeof gatherOp> = {
  forward({ shapes, inputs: { x, indices }, outputs: { y } }, attributes) {
    const { axis } = attributes;
    const size = shapes.x[axis]!;
    const inner = sizeOf(shapes.x.slice(axis + 1));
    let at = 0;
    for (let o = 0; o < sizeOf(shapes.x.slice(0, axis)); o++) {
      for (const index of indices) {
        if (index < 0 || index >= size) throw indexError(attributes, shapes.x, index);
        for (let j = 0; j < inner; j++) y[at++] = x[(o * size + index) * inner + j]!;
      }
    }
  },
  backward({ shapes, inputs: { indices }, gradOutputs: { y: dy }, gradInputs: { x: dx } }, { axis }) {
    const size = shapes.x[axis]!;
    const inner = sizeOf(shapes.x.slice(axis + 1));
    let at = 0;
    for (let o = 0; o < sizeOf(shapes.x.slice(0, axis)); o++) {
      for (const index of indices) {
        for (let j = 0; j < inner; j++) dx[(o * size + index) * inner + j]! += dy[at++]!;
      }
    }
  },
};

export const embedding: ReferenceOf<typeof embeddingOp> = {
  forward({ shapes, inputs: { tokens, weight }, outputs: { y } }) {
    const [vocabulary, size] = shapes.weight as [number, number];
    tokens.forEach((token, k) => {
      if (token < 0 || token >= vocabulary) throw tokenError(token, vocabulary);
      for (let j = 0; j < size; j++) y[k * size + j] = weight[token * size + j]!;
    });
  },
  backward({ shapes, inputs: { tokens }, gradOutputs: { y: dy }, gradInputs: { weight } }, { paddingIdx }) {
    const size = shapes.weight[1]!;
    tokens.forEach((token, k) => {
      if (token === paddingIdx) return;
      for (let j = 0; j < size; j++) weight[token * size + j]! += dy[k * size + j]!;
    });
  },
};
