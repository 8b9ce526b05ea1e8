import { expectDtype, expectShape, expectWeight } from "../autograd/apply.ts";
import { DataError, ShapeError } from "../errors.ts";
import { formatShape, type Shape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";

/**
 * What the fused sequence ops (rnn, lstm, gru) have in common: their inputs and how these must fit together. The
 * weights say what the sizes are; everything else is measured against them.
 */
export interface SequenceInputs {
  /** [T, N, I], time first. */
  input: Tensor;
  /** [G·H, I] for a cell of G gates. */
  weightIh: Tensor;
  /** [G·H, H]. */
  weightHh: Tensor;
  /** [G·H]. */
  biasIh?: Tensor | undefined;
  /** [G·H]. */
  biasHh?: Tensor | undefined;
  /** [N, H], zeros if left out. */
  h0?: Tensor | undefined;
  /** int32 [N], each from 0 to T: how many steps of a sequence count. All of them if left out. */
  lengths?: Tensor | undefined;
}

export type SequenceInput = "x" | Exclude<keyof SequenceInputs, "input">;

export interface SequenceSizes {
  T: number;
  N: number;
  I: number;
  H: number;
}

/**
 * The shape rule that the cells share. `stateSize` is the width of h where it is not H (a projected LSTM).
 */
export function inferSequence(
  op: string,
  gates: number,
  shapes: Record<SequenceInput, Shape>,
  stateSize?: number,
): SequenceSizes {
  const { x, weightIh, weightHh, biasIh, biasHh, h0, lengths } = shapes;
  const rows = weightHh[0] ?? 0;
  const H = rows / gates;
  const P = stateSize ?? H;
  if (weightHh.length !== 2 || !Number.isInteger(H) || weightHh[1] !== P) {
    const form = gates === 1 ? "[H, H]" : `[${gates}·H, ${stateSize ?? "H"}]`;
    throw new ShapeError(`${op}: weightHh must be ${form}, got ${formatShape(weightHh)}`);
  }
  expectShape(op, "weightIh", weightIh, [rows, "input size"]);
  const I = weightIh[1]!;
  expectShape(op, "input", x, ["time", "batch", I]);
  const T = x[0]!;
  const N = x[1]!;
  if (T === 0 || N === 0) {
    throw new ShapeError(`${op}: input must have a time step and a sequence at least, got ${formatShape(x)}`);
  }
  expectShape(op, "biasIh", biasIh, [rows]);
  expectShape(op, "biasHh", biasHh, [rows]);
  expectShape(op, "h0", h0, [N, P]);
  expectShape(op, "lengths", lengths, [N]);
  return { T, N, I, H };
}

/** Refuses what a shape rule cannot see: dtypes, lengths out of range. */
export function checkSequence(op: string, inputs: SequenceInputs): void {
  for (const [name, t] of Object.entries<Tensor | undefined>({ ...inputs })) {
    if (!t) continue;
    if (name === "weightIh" || name === "weightHh") expectWeight(op, name, t);
    else expectDtype(op, name, t, name === "lengths" ? "int32" : "float32");
  }
  if (inputs.lengths) checkLengths(op, inputs.lengths, inputs.input.shape);
}

/** Refuses lengths that do not fit x [T, N, ...]. */
export function checkLengths(op: string, lengths: Tensor, [T = 0, N = 0]: Shape): void {
  expectDtype(op, "lengths", lengths, "int32");
  expectShape(op, "lengths", lengths.shape, [N]);
  lengths.toArray().forEach((length, n) => {
    if (length < 0 || length > T) {
      throw new DataError(`${op}: lengths must be from 0 to ${T}, got ${length} for sequence ${n}`);
    }
  });
}
