import type { ReferenceOf } from "../autograd/op.ts";
import { type Shape, sizeOf } from "../tensor/shape.ts";
import { lengthError, type reverseSequencesOp } from "./reverse-sequences.ts";

/** Each pair of places that trade their contents: an element of the result, and where it stands in x. */
function* pairs(shape: Shape, lengths: Float64Array): Generator<[to: number, from: number]> {
  const [time, batch, ...rest] = shape as [number, number, ...number[]];
  const width = sizeOf(rest);
  for (let n = 0; n < batch; n++) {
    const length = lengths[n] ?? time;
    if (length < 0 || length > time) throw lengthError(length, time);
    for (let t = 0; t < length; t++) {
      for (let j = 0; j < width; j++) {
        yield [(t * batch + n) * width + j, ((length - 1 - t) * batch + n) * width + j];
      }
    }
  }
}

export const reverseSequences: ReferenceOf<typeof reverseSequencesOp> = {
  forward({ shapes, inputs: { x, lengths }, outputs: { y } }) {
    y.fill(0);
    for (const [to, from] of pairs(shapes.x, lengths)) y[to] = x[from]!;
  },
  backward({ shapes, inputs: { lengths }, gradOutputs: { y: dy }, gradInputs: { x: dx } }) {
    for (const [to, from] of pairs(shapes.x, lengths)) dx[from]! += dy[to]!;
  },
};
