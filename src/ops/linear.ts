import { apply, expectDtype, expectShape, expectWeight } from "../autograd/apply.ts";
import type { Op } from "../autograd/op.ts";
import { ShapeError } from "../errors.ts";
import { formatShape, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { addColumnSums, inParts, matrix, multiply, pack, packWeight, transposed } from "./gemm.ts";

export const linearOp: Op<"x" | "weight" | "bias", "y", never, object> = {
  name: "linear",
  cost: ({ x, weight }) => ({ flops: 2 * sizeOf(x) * weight[0]! }),
  infer({ x, weight, bias }) {
    if (weight.length !== 2) {
      throw new ShapeError(`linear: weight must be [out, in], got ${formatShape(weight)}`);
    }
    const [out, width] = weight as [number, number];
    if (x.length === 0 || x.at(-1) !== width) {
      throw new ShapeError(`linear: input must be [..., ${width}], got ${formatShape(x)}`);
    }
    expectShape("linear", "bias", bias, [out]);
    return { outputs: { y: [...x.slice(0, -1), out] }, saved: {} };
  },
  forward({ shapes, int8, inputs, outputs }) {
    const [out, width] = shapes.weight as [number, number];
    const rows = sizeOf(shapes.x.slice(0, -1));
    const x = matrix(inputs.x, rows, width);
    const weight = { at: inputs.weight, int8: int8.weight, rows: out, columns: width };
    if (weight.int8) {
      multiply(x, packWeight(weight, inputs.bias), matrix(outputs.y, rows, out));
      return;
    }
    inParts(out, width, (first, count) => {
      const part = packWeight({ ...weight, first, rows: count }, inputs.bias && inputs.bias + 4 * first);
      multiply(x, part, matrix(outputs.y + 4 * first, rows, count, out));
    });
  },
  backward({ shapes, inputs, gradOutputs, gradInputs }) {
    const [out, width] = shapes.weight as [number, number];
    const rows = sizeOf(shapes.x.slice(0, -1));
    const x = matrix(inputs.x, rows, width);
    const weight = matrix(inputs.weight, out, width);
    const dy = matrix(gradOutputs.y, rows, out);
    if (gradInputs.x) {
      inParts(out, width, (first, count) => {
        const part = pack(matrix(inputs.weight + 4 * first * width, count, width));
        multiply(matrix(gradOutputs.y + 4 * first, rows, count, out), part, { ...x, at: gradInputs.x }, true);
      });
    }
    if (gradInputs.weight) multiply(transposed(dy), pack(x), { ...weight, at: gradInputs.weight }, true);
    addColumnSums(dy, gradInputs.bias);
  },
};

/** x·Wᵀ + b over the last axis: input [..., I], weight [O, I], bias [O] → [..., O]. */
export function linear(input: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  expectDtype("linear", "input", input, "float32");
  expectWeight("linear", "weight", weight);
  if (bias) expectDtype("linear", "bias", bias, "float32");
  return apply(linearOp, { x: input, weight, bias }, {}).y;
}
