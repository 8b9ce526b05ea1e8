// What the versions from 2 on share: the weights packed, and the products with them.
import { gemm, packPanel, panelBytes, SCRATCH } from "../../../assembly/gemm";

/** W [4H, H] transposed and packed, starting from the bias. */
export function packWeight(w: usize, bias: usize, H: i32, out: usize): usize {
  for (let j = 0; j < 4 * H; j += 16, out += panelBytes(H)) packPanel(w, 4, <usize>H << 2, bias, 0, 0, H, 4 * H, j, out);
  return out;
}

/** Packs both weights behind the products' scratch and multiplies x for all steps; gives where W_hh lies. */
export function begin(
  x: usize, wIh: usize, wHh: usize, bias: usize, gates: usize, T: i32, N: i32, H: i32, scratch: usize,
): usize {
  const packedIh = scratch + SCRATCH, packedHh = packWeight(wIh, bias, H, packedIh);
  packWeight(wHh, 0, H, packedHh);
  gemm(x, <usize>H << 2, 4, packedIh, gates, <usize>H << 4, T * N, 4 * H, H, false, scratch);
  return packedHh;
}

/** gates [N, 4H] += h·W_hhᵀ */
export function addState(h: usize, packedHh: usize, gates: usize, N: i32, H: i32, scratch: usize): void {
  gemm(h, <usize>H << 2, 4, packedHh, gates, <usize>H << 4, N, 4 * H, H, true, scratch);
}
