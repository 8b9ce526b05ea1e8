import { memoryKernels, scanKernels } from "#kernels";
import { apply, expectDtype, expectShape } from "../autograd/apply.ts";
import { workspace } from "../autograd/backend.ts";
import type { Op } from "../autograd/op.ts";
import { share, use } from "../engine/engine.ts";
import { selfChecks } from "../engine/self-check.ts";
import { checkScan } from "../engine/self-check-scan.ts";
import { ShapeError } from "../errors.ts";
import { formatShape, type Shape, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { checkLengths } from "./sequence.ts";
import { copyState } from "./sequence-passes.ts";

const run = use(memoryKernels, scanKernels);
selfChecks.scan = checkScan;

/** Columns of a state that a thread takes at the least; assembly/scan.ts has the same. */
const BLOCK = 16;

export interface ScanAttributes {
  reverse: boolean;
}

interface Sizes {
  T: number;
  N: number;
  H: number;
}

/** Deals the H columns of the states to the threads: how many blocks there are, and how many a thread takes. */
export function dealColumns(H: number, work: number): [blocks: number, chunk: number] {
  const blocks = Math.ceil(H / BLOCK);
  return [blocks, share(blocks, work)];
}

function inferTime(op: string, what: string, shape: Shape): [T: number, N: number, width: number] {
  if (shape.length !== 3 || sizeOf(shape) === 0) {
    throw new ShapeError(`${op}: ${what} must be [time, batch, features], got ${formatShape(shape)}`);
  }
  return shape as [number, number, number];
}

function inferLinear({ a, b, h0, lengths }: Record<"a" | "b" | "h0" | "lengths", Shape>): Sizes {
  const [T, N, H] = inferTime("linearScan", "a", a);
  expectShape("linearScan", "b", b, [T, N, H]);
  expectShape("linearScan", "h0", h0, [N, H]);
  expectShape("linearScan", "lengths", lengths, [N]);
  return { T, N, H };
}

export const linearScanOp: Op<"a" | "b" | "h0" | "lengths", "output" | "h", never, ScanAttributes> = {
  name: "linearScan",
  infer(shapes) {
    const { T, N, H } = inferLinear(shapes);
    return { outputs: { output: [T, N, H], h: [N, H] }, saved: {} };
  },
  forward({ shapes, inputs, outputs }, { reverse }) {
    const sizes = inferLinear(shapes);
    const h = copyState(inputs.h0, sizes.N * sizes.H, outputs.h);
    const { a, b, lengths } = inputs;
    const args = { a, b, output: outputs.output, h, lengths, ...sizes, reverse: Number(reverse) };
    run("linearScanForward", args, ...dealColumns(sizes.H, 8 * sizes.T * sizes.N * sizes.H));
  },
  backward({ shapes, inputs, outputs, gradOutputs, gradInputs }, { reverse }) {
    const sizes = inferLinear(shapes);
    const { T, N, H } = sizes;
    const args = {
      a: inputs.a,
      output: outputs.output,
      h0: inputs.h0 || copyState(0, N * H),
      dOutput: gradOutputs.output,
      dh: copyState(gradOutputs.h, N * H),
      da: gradInputs.a || workspace(T * N * H),
      db: gradInputs.b || workspace(T * N * H),
      lengths: inputs.lengths,
      ...sizes,
      reverse: Number(reverse),
    };
    run("linearScanBackward", args, ...dealColumns(sizes.H, 8 * sizes.T * sizes.N * sizes.H));
    if (gradInputs.h0) run("axpy", { x: args.dh, out: gradInputs.h0, alpha: 1 }, N * H);
  },
};

function inferComplex({ lambda, x, h0, lengths }: Record<"lambda" | "x" | "h0" | "lengths", Shape>): Sizes {
  const [T, N, width] = inferTime("complexScan", "x", x);
  const H = width / 2;
  if (!Number.isInteger(H)) {
    throw new ShapeError(
      `complexScan: x must be [time, batch, 2·H], real and imaginary parts, got ${formatShape(x)}`,
    );
  }
  expectShape("complexScan", "lambda", lambda, [2, H]);
  expectShape("complexScan", "h0", h0, [N, width]);
  expectShape("complexScan", "lengths", lengths, [N]);
  return { T, N, H };
}

export const complexScanOp: Op<"lambda" | "x" | "h0" | "lengths", "output" | "h", never, ScanAttributes> = {
  name: "complexScan",
  infer(shapes) {
    const { T, N, H } = inferComplex(shapes);
    return { outputs: { output: [T, N, 2 * H], h: [N, 2 * H] }, saved: {} };
  },
  forward({ shapes, inputs, outputs }, { reverse }) {
    const sizes = inferComplex(shapes);
    const h = copyState(inputs.h0, sizes.N * 2 * sizes.H, outputs.h);
    const { lambda, x, lengths } = inputs;
    const args = { lambda, x, output: outputs.output, h, lengths, ...sizes, reverse: Number(reverse) };
    run("complexScanForward", args, ...dealColumns(sizes.H, 8 * sizes.T * sizes.N * sizes.H));
  },
  backward({ shapes, inputs, outputs, gradOutputs, gradInputs }, { reverse }) {
    const sizes = inferComplex(shapes);
    const { T, N, H } = sizes;
    const args = {
      lambda: inputs.lambda,
      output: outputs.output,
      h0: inputs.h0 || copyState(0, 2 * N * H),
      dOutput: gradOutputs.output,
      dh: copyState(gradOutputs.h, 2 * N * H),
      dLambda: gradInputs.lambda || workspace(2 * H),
      dx: gradInputs.x || workspace(2 * T * N * H),
      lengths: inputs.lengths,
      ...sizes,
      reverse: Number(reverse),
    };
    run("complexScanBackward", args, ...dealColumns(sizes.H, 8 * sizes.T * sizes.N * sizes.H));
    if (gradInputs.h0) run("axpy", { x: args.dh, out: gradInputs.h0, alpha: 1 }, 2 * N * H);
  },
};

export interface LinearScanOptions {
  /** The state before the first step; zeros if left out. */
  h0?: Tensor | undefined;
  /** int32 [N]: how many steps of each sequence count; all of them if left out. */
  lengths?: Tensor | undefined;
  /** From each sequence's last step to its first. */
  reverse?: boolean;
}

function check(op: string, x: Tensor, { h0, lengths }: LinearScanOptions): void {
  if (h0) expectDtype(op, "h0", h0, "float32");
  if (lengths) checkLengths(op, lengths, x.shape);
}

/**
 * The linear recurrence h_t = a_t∘h_{t−1} + b_t (Martin and Cundy 2018, arXiv:1709.04057) over whole sequences:
 * a, b [T, N, H] → output [T, N, H] (zero past a sequence's length) and h [N, H], the state after its last step. Each
 * number is one chain of multiply-adds, shared among the threads by columns: the bits are those of step by step.
 */
export function linearScan(
  a: Tensor,
  b: Tensor,
  options: LinearScanOptions = {},
): { output: Tensor; h: Tensor } {
  expectDtype("linearScan", "a", a, "float32");
  expectDtype("linearScan", "b", b, "float32");
  check("linearScan", a, options);
  const { h0, lengths, reverse = false } = options;
  return apply(linearScanOp, { a, b, h0, lengths }, { reverse });
}

/**
 * The complex recurrence h_t = λ∘h_{t−1} + x_t of linear recurrent units (Orvieto et al. 2023, arXiv:2303.06349).
 * lambda [2, H], x [T, N, 2·H] and h0 [N, 2·H] hold real parts, then imaginary parts; so do output [T, N, 2·H] and
 * h [N, 2·H].
 */
export function complexScan(
  lambda: Tensor,
  x: Tensor,
  options: LinearScanOptions = {},
): { output: Tensor; h: Tensor } {
  expectDtype("complexScan", "lambda", lambda, "float32");
  expectDtype("complexScan", "x", x, "float32");
  check("complexScan", x, options);
  const { h0, lengths, reverse = false } = options;
  return apply(complexScanOp, { lambda, x, h0, lengths }, { reverse });
}
