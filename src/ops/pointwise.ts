import { apply } from "../autograd/apply.ts";
import type { Op } from "../autograd/op.ts";
import { run, share } from "../engine/engine.ts";
import { sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";

type Unary = Op<"x", "y", never, object>;

export const tanhOp: Unary = {
  name: "tanh",
  infer: ({ x }) => ({ outputs: { y: x }, saved: {} }),
  forward({ shapes, inputs, outputs }) {
    const n = sizeOf(shapes.x);
    run("tanhForward", { x: inputs.x, out: outputs.y }, n, share(n, 10 * n, 16));
  },
  backward({ shapes, outputs, gradOutputs, gradInputs }) {
    const n = sizeOf(shapes.x);
    run("tanhBackward", { y: outputs.y, dy: gradOutputs.y, dx: gradInputs.x }, n, share(n, 4 * n, 16));
  },
};

/** tanh x, element by element. */
export function tanh(x: Tensor): Tensor {
  return apply(tanhOp, { x }, {}).y;
}
