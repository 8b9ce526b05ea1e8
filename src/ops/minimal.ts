import { memoryKernels, scanKernels } from "#kernels";
import { apply, expectShape } from "../autograd/apply.ts";
import { workspace } from "../autograd/backend.ts";
import type { Op } from "../autograd/op.ts";
import { use } from "../engine/engine.ts";
import { selfChecks } from "../engine/self-check.ts";
import { checkScan } from "../engine/self-check-scan.ts";
import { ShapeError } from "../errors.ts";
import { formatShape, type Shape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { addColumnSums, matrix, multiply, packTransposed } from "./gemm.ts";
import { dealColumns } from "./linear-scan.ts";
import { checkSequence, type SequenceInputs, type SequenceSizes } from "./sequence.ts";
import { addInputGradients, copyState } from "./sequence-passes.ts";

const run = use(memoryKernels, scanKernels);
selfChecks.scan = checkScan;

/** A sequence op's inputs but for those that read the state. */
export type MinimalInputs = Omit<SequenceInputs, "weightHh" | "biasHh">;

type MinimalInput = "x" | Exclude<keyof MinimalInputs, "input">;

export interface MinimalAttributes {
  reverse: boolean;
}

function inferMinimal(name: string, gates: number, shapes: Record<MinimalInput, Shape>): SequenceSizes {
  const { x, weightIh, biasIh, h0, lengths } = shapes;
  const H = weightIh[0]! / gates;
  if (weightIh.length !== 2 || !Number.isInteger(H)) {
    throw new ShapeError(`${name}: weightIh must be [${gates}·H, input size], got ${formatShape(weightIh)}`);
  }
  const I = weightIh[1]!;
  expectShape(name, "input", x, ["time", "batch", I]);
  const [T, N] = x as [number, number];
  if (T === 0 || N === 0) {
    throw new ShapeError(
      `${name}: input must have a time step and a sequence at least, got ${formatShape(x)}`,
    );
  }
  expectShape(name, "biasIh", biasIh, [gates * H]);
  expectShape(name, "h0", h0, [N, H]);
  expectShape(name, "lengths", lengths, [N]);
  return { T, N, I, H };
}

function minimalOp(
  name: "minGru" | "minLstm",
  gates: number,
): Op<MinimalInput, "output" | "h", "pre", MinimalAttributes> {
  return {
    name,
    cost(shapes) {
      const { T, N, I, H } = inferMinimal(name, gates, shapes);
      return { flops: 2 * gates * T * N * I * H };
    },
    infer(shapes) {
      const { T, N, H } = inferMinimal(name, gates, shapes);
      return { outputs: { output: [T, N, H], h: [N, H] }, saved: { pre: [T, N, gates * H] } };
    },
    forward({ shapes, inputs, outputs, saved: { pre } }, { reverse }) {
      const { T, N, I, H } = inferMinimal(name, gates, shapes);
      const weight = packTransposed(matrix(inputs.weightIh, gates * H, I), inputs.biasIh);
      multiply(matrix(inputs.x, T * N, I), weight, matrix(pre, T * N, gates * H));
      const args = {
        pre,
        output: outputs.output,
        h: copyState(inputs.h0, N * H, outputs.h),
        lengths: inputs.lengths,
        ...{ T, N, H, reverse: Number(reverse) },
      };
      run(`${name}Forward`, args, ...dealColumns(H, 60 * T * N * H));
    },
    backward({ shapes, inputs, outputs, saved: { pre }, gradOutputs, gradInputs }, { reverse }) {
      const sizes = inferMinimal(name, gates, shapes);
      const { T, N, H } = sizes;
      const dPre = matrix(workspace(T * N * gates * H), T * N, gates * H);
      const args = {
        pre,
        output: outputs.output,
        h0: inputs.h0 || copyState(0, N * H),
        dOutput: gradOutputs.output || copyState(0, H),
        dOutputRow: gradOutputs.output ? 4 * H : 0,
        dh: copyState(gradOutputs.h, N * H),
        dPre: dPre.at,
        lengths: inputs.lengths,
        ...{ T, N, H, reverse: Number(reverse) },
      };
      run(`${name}Backward`, args, ...dealColumns(H, 80 * T * N * H));
      addInputGradients({ ...sizes, lengths: inputs.lengths, reverse }, inputs, gradInputs, dPre);
      addColumnSums(dPre, gradInputs.biasIh);
      if (gradInputs.h0) run("axpy", { x: args.dh, out: gradInputs.h0, alpha: 1 }, N * H);
    },
  };
}

export const minGruOp = minimalOp("minGru", 2);
export const minLstmOp = minimalOp("minLstm", 3);

function applyMinimal(op: typeof minGruOp, inputs: MinimalInputs, { reverse = false }: MinimalOptions) {
  // What reads the state is absent; the rest is checked like any sequence op's.
  checkSequence(op.name, inputs as SequenceInputs);
  const { input, weightIh, biasIh, h0, lengths } = inputs;
  return apply(op, { x: input, weightIh, biasIh, h0, lengths }, { reverse });
}

export interface MinimalOptions {
  /** Read each sequence from its end to its beginning. */
  reverse?: boolean;
}

/**
 * minGRU (Feng et al. 2024, arXiv:2410.01201, §3.1) over a whole sequence: h_t = (1 − z_t)∘h_{t−1} + z_t∘g(h̃_t) with
 * z_t = σ(W_z x_t + b_z), h̃_t = W_h x_t + b_h, g(x) = x + ½ for x ≥ 0, else σ(x). The rows of weightIh [2·H, I] are z, h̃.
 * input [T, N, I] → output [T, N, H] (zero past a sequence's length) and h [N, H], the state after its last step.
 */
export function minGru(inputs: MinimalInputs, options: MinimalOptions = {}): { output: Tensor; h: Tensor } {
  return applyMinimal(minGruOp, inputs, options);
}

/**
 * minLSTM (Feng et al. 2024, §3.2): h_t = f_t/(f_t + i_t)∘h_{t−1} + i_t/(f_t + i_t)∘g(h̃_t), the gates f and i being σ of
 * products with the input; g as in `minGru`. The rows of weightIh [3·H, I] are f, i, h̃. Results as of `minGru`.
 */
export function minLstm(inputs: MinimalInputs, options: MinimalOptions = {}): { output: Tensor; h: Tensor } {
  return applyMinimal(minLstmOp, inputs, options);
}
