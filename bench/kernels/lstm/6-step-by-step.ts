// Not promoted: x is multiplied step by step too, so that the gates are in the cache when the cell wants them. But so must
// both weights be then, in turns.
import { gemm, SCRATCH } from "../../../assembly/gemm";
import { LstmForwardArgs } from "../../../assembly/lstm";
import { packWeight } from "./packing";
import { promoted } from "./promoted";

export function layer(
  x: usize, wIh: usize, wHh: usize, bias: usize, gates: usize, cells: usize, output: usize, h: usize, c: usize,
  T: i32, N: i32, H: i32, scratch: usize,
): void {
  const args = changetype<LstmForwardArgs>(scratch), own = scratch + 256, bytes = <usize>(N * H) << 2;
  const packedIh = own + SCRATCH, packedHh = packWeight(wIh, bias, H, packedIh);
  packWeight(wHh, 0, H, packedHh);
  for (let t: usize = 0; t < <usize>T; t++) {
    const g = gates + 4 * t * bytes;
    gemm(x + t * bytes, <usize>H << 2, 4, packedIh, g, <usize>H << 4, N, 4 * H, H, false, own);
    promoted(args, packedHh, g, cells + t * bytes, output + t * bytes, h, c, 1, N, H, own);
  }
}
