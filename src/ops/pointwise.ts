import { memoryKernels, pointwiseKernels } from "#kernels";
import { apply, expectDtype } from "../autograd/apply.ts";
import type { Op } from "../autograd/op.ts";
import { share, use } from "../engine/engine.ts";
import { sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";

const run = use(memoryKernels, pointwiseKernels);

/** Functions of one number, element by element. */
export type Unary<A = object> = Op<"x", "y", never, A>;

type Name = "exp" | "log" | "sqrt" | "abs" | "square" | "tanh" | "sigmoid" | "relu" | "pow" | "clamp";

interface Definition<A> {
  /** What the derivative is computed from, in assembly/pointwise.ts. */
  from: "x" | "y";
  /** Float operations for one element, roughly. */
  cost?: number;
  parameters?(attributes: A): { p: number; q: number };
}

function unary<A>(name: Name, { from, cost = 2, parameters }: Definition<A>): Unary<A> {
  const none = () => ({ p: 0, q: 0 });
  return {
    name,
    infer: ({ x }) => ({ outputs: { y: x }, saved: {} }),
    forward({ shapes, inputs, outputs }, attributes) {
      const n = sizeOf(shapes.x);
      const args = { x: inputs.x, out: outputs.y, ...(parameters ?? none)(attributes) };
      run(`${name}Forward`, args, n, share(n, cost * n, 16));
    },
    backward({ shapes, inputs, outputs, gradOutputs, gradInputs }, attributes) {
      const n = sizeOf(shapes.x);
      const v = from === "x" ? inputs.x : outputs.y;
      const args = { v, dy: gradOutputs.y, dx: gradInputs.x, ...(parameters ?? none)(attributes) };
      run(`${name}Backward`, args, n, share(n, 4 * n, 16));
    },
  };
}

export const expOp = unary("exp", { from: "y", cost: 20 });
export const logOp = unary("log", { from: "x", cost: 30 });
export const sqrtOp = unary("sqrt", { from: "y" });
export const absOp = unary("abs", { from: "x" });
export const squareOp = unary("square", { from: "x" });
export const tanhOp = unary("tanh", { from: "y", cost: 30 });
export const sigmoidOp = unary("sigmoid", { from: "y", cost: 25 });
export const reluOp = unary("relu", { from: "y" });
export const powOp = unary<{ exponent: number }>("pow", {
  from: "x",
  cost: 60,
  parameters: ({ exponent }) => ({ p: exponent, q: 0 }),
});
export const clampOp = unary<{ min: number; max: number }>("clamp", {
  from: "x",
  parameters: ({ min, max }) => ({ p: min, q: max }),
});

/** −x is x scaled, and so is its gradient. */
export const negOp: Unary = {
  name: "neg",
  infer: ({ x }) => ({ outputs: { y: x }, saved: {} }),
  forward({ shapes, inputs, outputs }) {
    const n = sizeOf(shapes.x);
    run("scale", { x: inputs.x, out: outputs.y, factor: -1 }, n, share(n, n, 16));
  },
  backward({ shapes, gradOutputs, gradInputs }) {
    const n = sizeOf(shapes.x);
    run("axpy", { x: gradOutputs.y, out: gradInputs.x, alpha: -1 }, n, share(n, n, 16));
  },
};

function applyUnary<A>(op: Unary<A>, x: Tensor, attributes: A): Tensor {
  expectDtype(op.name, "x", x, "float32");
  return apply(op, { x }, attributes).y;
}

/** −x, element by element. */
export function neg(x: Tensor): Tensor {
  return applyUnary(negOp, x, {});
}

/** eˣ, element by element. */
export function exp(x: Tensor): Tensor {
  return applyUnary(expOp, x, {});
}

/** ln x, element by element: −∞ at 0, NaN below. */
export function log(x: Tensor): Tensor {
  return applyUnary(logOp, x, {});
}

/** √x, element by element. */
export function sqrt(x: Tensor): Tensor {
  return applyUnary(sqrtOp, x, {});
}

/** |x|, element by element; its derivative at 0 is 0. */
export function abs(x: Tensor): Tensor {
  return applyUnary(absOp, x, {});
}

/** x², element by element. */
export function square(x: Tensor): Tensor {
  return applyUnary(squareOp, x, {});
}

/** tanh x, element by element. */
export function tanh(x: Tensor): Tensor {
  return applyUnary(tanhOp, x, {});
}

/** σ(x) = 1/(1 + e⁻ˣ), element by element. */
export function sigmoid(x: Tensor): Tensor {
  return applyUnary(sigmoidOp, x, {});
}

/** max(x, 0), element by element; its derivative at 0 is 0. */
export function relu(x: Tensor): Tensor {
  return applyUnary(reluOp, x, {});
}

/** x to the power of a number, element by element. A negative x needs a whole exponent, else the result is NaN. */
export function pow(x: Tensor, exponent: number): Tensor {
  return applyUnary(powOp, x, { exponent });
}

/** x held between min and max, element by element; the gradient passes where it was not moved. */
export function clamp(x: Tensor, min = -Infinity, max = Infinity): Tensor {
  return applyUnary(clampOp, x, { min, max });
}
