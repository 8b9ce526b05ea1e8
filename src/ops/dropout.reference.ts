import type { ReferenceOf } from "../autograd/op.ts";
import { philox } from "../tensor/random.ts";
import type { Shape } from "../tensor/shape.ts";
import { type DropoutAttributes, type dropoutOp, maskAxes, maskKey, maskThreshold } from "./dropout.ts";

/** What each element is multiplied by: 0 or 1/(1 − p). */
function* factors(shape: Shape, attributes: DropoutAttributes): Generator<number> {
  const { p, step, tOffset, rowOffset, variational } = attributes;
  const { time, batch, width } = maskAxes(shape);
  const key = maskKey(attributes);
  for (let t = 0; t < time; t++) {
    for (let n = 0; n < batch; n++) {
      for (let unit = 0; unit < width; unit++) {
        const when = tOffset + (variational ? 0 : t);
        const words = philox([step, when, rowOffset + n, Math.floor(unit / 4)], key);
        yield words[unit % 4]! < maskThreshold(p) ? 0 : 1 / (1 - p);
      }
    }
  }
}

export const dropout: ReferenceOf<typeof dropoutOp> = {
  forward({ shapes, inputs: { x }, outputs: { y } }, attributes) {
    let i = 0;
    for (const factor of factors(shapes.x, attributes)) y[i] = factor * x[i++]!;
  },
  backward({ shapes, gradOutputs: { y: dy }, gradInputs: { x: dx } }, attributes) {
    let i = 0;
    for (const factor of factors(shapes.x, attributes)) dx[i]! += factor * dy[i++]!;
  },
};
