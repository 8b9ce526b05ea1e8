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
  let sum = 0;
  for (let p = table + 12 * <usize>rank; p > table; row /= i32.load(p)) {
    p -= 12;
    sum += (row % i32.load(p)) * i32.load(p + which);
  }
  return sum;
}
