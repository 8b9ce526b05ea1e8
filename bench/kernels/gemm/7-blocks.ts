// The promoted one. k and the rows are cut into blocks that stay in the caches, the rows of A are packed by transposing
// four by four, and dealt evenly to tiles.
import { gemm, packPanel, panelBytes, SCRATCH } from "../../../assembly/gemm";

export function product(a: usize, b: usize, c: usize, m: i32, n: i32, k: i32, scratch: usize): void {
  const panels = scratch + SCRATCH;
  for (let j = 0, out = panels; j < n; j += 16, out += panelBytes(k)) packPanel(b, <usize>n << 2, 4, 0, 0, 0, k, n, j, out);
  gemm(a, <usize>k << 2, 4, panels, c, <usize>n << 2, m, n, k, false, scratch);
}
