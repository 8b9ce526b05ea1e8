// B is packed first, 16 columns together with all their k, so that a tile reads it as one stream; the tiles are those of
// assembly/, 6 rows by 8 columns. They take A packed too, which is done for each 6 rows as their turn comes.
import { packPanel, panelBytes } from "../../../assembly/gemm";
import { tile8 } from "../../../assembly/generated/tiles";
import { copyTile, packRowsPlainly, packedA } from "./packing";

export function product(a: usize, b: usize, c: usize, m: i32, n: i32, k: i32, scratch: usize): void {
  const panels = scratch + packedA(k), temporary = scratch, rows = scratch + 384;
  for (let j = 0, out = panels; j < n; j += 16, out += panelBytes(k)) packPanel(b, <usize>n << 2, 4, 0, 0, 0, k, n, j, out);
  for (let i = 0; i < m; i += 6) {
    const height = min(6, m - i);
    packRowsPlainly(a + (<usize>(i * k) << 2), <usize>k << 2, height, k, rows);
    for (let j = 0, panel = panels; j < n; j += 16, panel += panelBytes(k)) {
      for (let half: usize = 0; half < 64; half += 32) {
        tile8(height, rows, panel + 64 + half, k, panel + half, 0, temporary + half, 64);
      }
      copyTile(temporary, c + (<usize>(i * n + j) << 2), <usize>n << 2, height, min(16, n - j));
    }
  }
}
