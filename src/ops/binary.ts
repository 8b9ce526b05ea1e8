import { memoryKernels, pointwiseKernels } from "#kernels";
import { apply, expectDtype } from "../autograd/apply.ts";
import { workspace } from "../autograd/backend.ts";
import type { Op } from "../autograd/op.ts";
import { share, use } from "../engine/engine.ts";
import { broadcastShapes, sizeOf } from "../tensor/shape.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { rowPlan, sumOver } from "./broadcast.ts";

const run = use(memoryKernels, pointwiseKernels);

/** Functions of two numbers, element by element, by NumPy's broadcasting rule. */
export type Binary = Op<"a" | "b", "y", never, object>;

type Operand = "a" | "b";

/** The gradient of an operand: dy times a constant, or what assembly/pointwise.ts calls by this number. */
type Gradient = { factor: number } | { code: number; operands: [Operand, Operand] };

function binary(name: string, op: number, gradients: Record<Operand, Gradient>): Binary {
  return {
    name,
    infer: ({ a, b }) => ({ outputs: { y: broadcastShapes(name, a, b) }, saved: {} }),
    forward({ shapes, inputs, outputs }) {
      const shape = broadcastShapes(name, shapes.a, shapes.b);
      const n = sizeOf(shape);
      const plan = rowPlan(shape, shapes.a, shapes.b);
      run("binaryForward", { ...inputs, out: outputs.y, op, ...plan }, n, share(n, 2 * n, 16));
    },
    backward({ shapes, inputs, gradOutputs: { y: dy }, gradInputs }) {
      const shape = broadcastShapes(name, shapes.a, shapes.b);
      const n = sizeOf(shape);
      for (const operand of ["a", "b"] as const) {
        const out = gradInputs[operand];
        if (!out) continue;
        const gradient = gradients[operand];
        const own = shapes[operand];
        const whole = sizeOf(own) === n;
        let full = dy;
        let scale = 1;
        if ("factor" in gradient) {
          scale = gradient.factor;
          if (whole) run("axpy", { x: dy, out, alpha: scale }, n, share(n, 2 * n, 16));
        } else {
          const [a, b] = gradient.operands;
          const plan = rowPlan(shape, shapes[a], shapes[b]);
          full = whole ? out : workspace(n);
          const args = { dy, a: inputs[a], b: inputs[b], out: full, op: gradient.code, ...plan };
          run("binaryBackward", { ...args, accumulate: Number(whole) }, n, share(n, 4 * n, 16));
        }
        if (whole) continue;
        const stretched = shape.map((_, i) => (own[own.length - shape.length + i] ?? 1) === 1);
        sumOver(full, shape, stretched, out, { scale, accumulate: true });
      }
    },
  };
}

export const addOp = binary("add", 0, { a: { factor: 1 }, b: { factor: 1 } });
export const subOp = binary("sub", 1, { a: { factor: 1 }, b: { factor: -1 } });
export const mulOp = binary("mul", 2, {
  a: { code: 0, operands: ["a", "b"] },
  b: { code: 0, operands: ["b", "a"] },
});
export const divOp = binary("div", 3, {
  a: { code: 1, operands: ["a", "b"] },
  b: { code: 2, operands: ["a", "b"] },
});
export const maximumOp = binary("maximum", 4, {
  a: { code: 3, operands: ["a", "b"] },
  b: { code: 3, operands: ["b", "a"] },
});
export const minimumOp = binary("minimum", 5, {
  a: { code: 4, operands: ["a", "b"] },
  b: { code: 4, operands: ["b", "a"] },
});

function applyBinary(op: Binary, a: Tensor | number, b: Tensor | number): Tensor {
  const inputs = {
    a: typeof a === "number" ? tensor(a) : a,
    b: typeof b === "number" ? tensor(b) : b,
  };
  expectDtype(op.name, "a", inputs.a, "float32");
  expectDtype(op.name, "b", inputs.b, "float32");
  return apply(op, inputs, {}).y;
}

/** a + b. Either may be a number; shapes broadcast. */
export function add(a: Tensor | number, b: Tensor | number): Tensor {
  return applyBinary(addOp, a, b);
}

/** a − b. Either may be a number; shapes broadcast. */
export function sub(a: Tensor | number, b: Tensor | number): Tensor {
  return applyBinary(subOp, a, b);
}

/** a·b, element by element. Either may be a number; shapes broadcast. */
export function mul(a: Tensor | number, b: Tensor | number): Tensor {
  return applyBinary(mulOp, a, b);
}

/** a/b, element by element. Either may be a number; shapes broadcast. */
export function div(a: Tensor | number, b: Tensor | number): Tensor {
  return applyBinary(divOp, a, b);
}

/** The larger of a and b, element by element; where they are equal each gets half of the gradient. */
export function maximum(a: Tensor | number, b: Tensor | number): Tensor {
  return applyBinary(maximumOp, a, b);
}

/** The smaller of a and b, element by element; where they are equal each gets half of the gradient. */
export function minimum(a: Tensor | number, b: Tensor | number): Tensor {
  return applyBinary(minimumOp, a, b);
}
