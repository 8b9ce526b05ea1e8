// What versions 5 and 6 share.

/** Bytes for six packed rows of A and a tile. */
@inline export function packedA(k: i32): usize {
  return 384 + <usize>(k * 24 + 64 & ~63);
}

/** Up to six rows of A, so that their values for one k lie together. */
export function packRowsPlainly(a: usize, aRow: usize, rows: i32, k: i32, out: usize): void {
  for (let p = 0; p < k; p++, a += 4) {
    for (let r = 0; r < rows; r++, out += 4) f32.store(out, f32.load(a + <usize>r * aRow));
  }
}

export function copyTile(from: usize, to: usize, toRow: usize, rows: i32, columns: i32): void {
  for (let r = 0; r < rows; r++, from += 64, to += toRow) {
    for (let c: usize = 0; c < <usize>columns << 2; c += 4) f32.store(to + c, f32.load(from + c));
  }
}
