import type { ReferenceOf } from "../autograd/op.ts";
import { sizeOf } from "../tensor/shape.ts";
import type { holdStateOp, maskPaddingOp } from "./padding.ts";

export const maskPadding: ReferenceOf<typeof maskPaddingOp> = {
  forward({ shapes, inputs: { x, lengths }, outputs: { y } }) {
    const N = shapes.x[1]!;
    const width = sizeOf(shapes.x.slice(2));
    for (let i = 0; i < y.length; i++) {
      const row = Math.floor(i / width);
      y[i] = Math.floor(row / N) < lengths[row % N]! ? x[i]! : 0;
    }
  },
  backward({ shapes, inputs: { lengths }, gradOutputs: { y: dy }, gradInputs: { x: dx } }) {
    const N = shapes.x[1]!;
    const width = sizeOf(shapes.x.slice(2));
    for (let i = 0; i < dy.length; i++) {
      const row = Math.floor(i / width);
      if (Math.floor(row / N) < lengths[row % N]!) dx[i]! += dy[i]!;
    }
  },
};

export const holdState: ReferenceOf<typeof holdStateOp> = {
  forward({ inputs: { next, before, lengths }, outputs: { state } }, { time }) {
    const width = state.length / lengths.length;
    for (let i = 0; i < state.length; i++) {
      state[i] = time < lengths[Math.floor(i / width)]! ? next[i]! : before[i]!;
    }
  },
  backward({ inputs: { lengths }, gradOutputs: { state }, gradInputs }, { time }) {
    const width = state.length / lengths.length;
    for (let i = 0; i < state.length; i++) {
      const grad = time < lengths[Math.floor(i / width)]! ? gradInputs.next : gradInputs.before;
      if (grad.length > 0) grad[i]! += state[i]!;
    }
  },
};
