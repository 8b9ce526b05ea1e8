// Walking an array of any rank. A table holds three words for each axis but the last: its size and its strides, in
// floats, in two operands.

/** Where row `row` of the first operand begins, in floats. */
export function firstOffset(table: usize, rank: i32, row: i32): i32 {
  return offset(table, rank, row, 4);
}

export function secondOffset(table: usize, rank: i32, row: i32): i32 {
  return offset(table, rank, row, 8);
}

@inline function offset(table: usize, rank: i32, row: i32, which: usize): i32 {
  if (rank == 0) return 0;
  let sum = 0, p = table + 12 * <usize>(rank - 1);
  for (; p > table; p -= 12) {
    const size = i32.load(p), rest = row / size;
    sum += (row - rest * size) * i32.load(p + which);
    row = rest;
  }
  return sum + row * i32.load(p + which);
}
