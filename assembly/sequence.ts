// What the recurrent kernels share. Time comes first: the row of sequence n at time t is row t·N + n. Rows at or past a
// sequence's length are padding: never read, and whatever is written there is zero. `lengths` is 0 if all count.
import { moveRow } from "./shape";

@inline export function lengthOf(lengths: usize, n: i32, T: i32): i32 {
  return lengths ? i32.load(lengths + (<usize>n << 2)) : T;
}

/** The address of row t·N + n. */
@inline export function rowOf(base: usize, t: i32, n: i32, N: i32, bytes: usize): usize {
  return base + <usize>(t * N + n) * bytes;
}

/** The state with which sequence n came to time t: the output of the step it read before, or its initial state. */
@inline export function stateBefore(
  output: usize, initial: usize, t: i32, n: i32, N: i32, length: i32, reverse: i32, bytes: usize,
): usize {
  const before = reverse ? t + 1 : t - 1;
  if (before < 0 || before >= length) return initial + <usize>n * bytes;
  return rowOf(output, before, n, N, bytes);
}

@unmanaged export class RowsWithinArgs {
  x: usize; out: usize; lengths: usize; N: i32; width: i32; first: i32; inside: i32; accumulate: i32;
}

/**
 * Copies x's row to out, or adds it, where the row's time is inside its sequence (or outside of it, with inside = 0);
 * the others stay. Row r, of [from, to), is sequence r mod N at time first + r div N.
 */
export function rowsWithin(a: RowsWithinArgs, from: i32, to: i32): void {
  const bytes = <usize>a.width << 2;
  for (let r = from; r < to; r++) {
    const inside = a.first + r / a.N < i32.load(a.lengths + (<usize>(r % a.N) << 2));
    if (i32(inside) != a.inside) continue;
    moveRow(a.x + <usize>r * bytes, a.out + <usize>r * bytes, a.width, a.accumulate);
  }
}

@unmanaged export class LastRowsArgs { x: usize; xRow: usize; out: usize; lengths: usize; T: i32; N: i32; width: i32 }

/** out [N, width] = the last row of each of sequences [from, to) that is not padding; zeros if it is empty. */
export function lastRows(a: LastRowsArgs, from: i32, to: i32): void {
  const bytes = <usize>a.width << 2;
  for (let n = from; n < to; n++) {
    const out = a.out + <usize>n * bytes;
    const length = lengthOf(a.lengths, n, a.T);
    if (length > 0) memory.copy(out, rowOf(a.x, length - 1, n, a.N, a.xRow), bytes);
    else memory.fill(out, 0, bytes);
  }
}
