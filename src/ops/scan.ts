import { ShapeError } from "../errors.ts";
import { formatShape, sameShape } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { holdState, maskPadding } from "./padding.ts";
import { checkLengths } from "./sequence.ts";
import { slice, stack } from "./slice.ts";

/** What a cell carries from step to step: a tensor, or several by name. */
export type ScanState = Tensor | Readonly<Record<string, Tensor>>;

/** One step in time: x [N, ...] and the state before → the output [N, ...] and the state after. */
export type ScanCell<S extends ScanState> = (x: Tensor, state: S) => { output: Tensor; state: S };

export interface ScanOptions {
  /** int32 [N]: past its length a sequence's output is zero and its state stays. Needs states of [N, ...]. */
  lengths?: Tensor | undefined;
  /** From each sequence's last step to its first. */
  reverse?: boolean;
}

/**
 * Runs a cell of your own, made of small ops, over xs [T, N, ...]: the outputs stacked to [T, N, ...], and the state
 * after the last step. What a fused op does (rnn, lstm, gru) it does slower, but for any cell.
 *
 *   const { output, state } = scan((x, h) => {
 *     const next = tanh(add(linear(x, W, b), linear(h, U)));
 *     return { output: next, state: next };
 *   }, xs, h0);
 */
export function scan<S extends ScanState>(
  cell: ScanCell<S>,
  xs: Tensor,
  initialState: S,
  { lengths, reverse = false }: ScanOptions = {},
): { output: Tensor; state: S } {
  const [T, ...rest] = xs.shape;
  if (!T)
    throw new ShapeError(`scan: xs must be [time, ...] with a step at least, got ${formatShape(xs.shape)}`);
  if (lengths) checkLengths("scan", lengths, xs.shape);
  // Cells multiply, and zero times what padding holds need not be zero.
  const read = maskPadding(xs, lengths);
  const outputs = new Array<Tensor>(T);
  let state = initialState;
  for (let k = 0; k < T; k++) {
    const t = reverse ? T - 1 - k : k;
    const x = slice(read, 0, t, t + 1).reshape(...rest);
    const next = cell(x, state);
    outputs[t] = next.output;
    state = mapState(state, next.state, (before, after) =>
      lengths ? holdState(after, before, lengths, t) : after,
    );
  }
  const output = stack(outputs, 0);
  return { output: maskPadding(output, lengths), state };
}

/** The state, tensor by tensor, after a step; it must be what it was before but for the values. */
function mapState<S extends ScanState>(before: S, after: S, f: (before: Tensor, after: Tensor) => Tensor): S {
  const one = (name: string, was: Tensor, is: Tensor | undefined) => {
    if (!is || !sameShape(was.shape, is.shape)) {
      const got = is ? formatShape(is.shape) : "nothing";
      throw new ShapeError(`scan: the cell must leave ${name} ${formatShape(was.shape)}, got ${got}`);
    }
    return f(was, is);
  };
  if (before instanceof Tensor) return one("the state", before, after as Tensor) as S;
  const entries = Object.entries<Tensor>(before);
  return Object.fromEntries(
    entries.map(([name, was]) => [name, one(name, was, (after as Record<string, Tensor>)[name])]),
  ) as S;
}
