// The promoted one. Two vectors side by side all the way, of which V8 makes one of 256 bits.
import { LstmForwardArgs } from "../../../assembly/lstm";
import { begin } from "./packing";
import { promoted } from "./promoted";

export function layer(
  x: usize, wIh: usize, wHh: usize, bias: usize, gates: usize, cells: usize, output: usize, h: usize, c: usize,
  T: i32, N: i32, H: i32, scratch: usize,
): void {
  const args = changetype<LstmForwardArgs>(scratch), own = scratch + 256;
  promoted(args, begin(x, wIh, wHh, bias, gates, T, N, H, own), gates, cells, output, h, c, T, N, H, own);
}
