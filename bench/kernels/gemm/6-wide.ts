// The tile is 16 columns wide and two neighbouring vectors are always treated alike: of each two, V8's revectoriser makes
// one of 256 bits.
import { packPanel, panelBytes } from "../../../assembly/gemm";
import { tile16 } from "../../../assembly/generated/tiles";
import { copyTile, packRowsPlainly, packedA } from "./packing";

export function product(a: usize, b: usize, c: usize, m: i32, n: i32, k: i32, scratch: usize): void {
  const panels = scratch + packedA(k), temporary = scratch, rows = scratch + 384;
  for (let j = 0, out = panels; j < n; j += 16, out += panelBytes(k)) packPanel(b, <usize>n << 2, 4, 0, 0, 0, k, n, j, out);
  for (let i = 0; i < m; i += 6) {
    const height = min(6, m - i);
    packRowsPlainly(a + (<usize>(i * k) << 2), <usize>k << 2, height, k, rows);
    for (let j = 0, panel = panels; j < n; j += 16, panel += panelBytes(k)) {
      const columns = min(16, n - j), out = c + (<usize>(i * n + j) << 2);
      if (columns == 16) tile16(height, rows, panel + 64, k, panel, 0, out, <usize>n << 2);
      else {
        tile16(height, rows, panel + 64, k, panel, 0, temporary, 64);
        copyTile(temporary, out, <usize>n << 2, height, columns);
      }
    }
  }
}
