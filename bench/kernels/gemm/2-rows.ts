// Rows of B are added to rows of C, so that memory is read as it lies.
export function product(a: usize, b: usize, c: usize, m: i32, n: i32, k: i32, scratch: usize): void {
  memory.fill(c, 0, <usize>(m * n) << 2);
  for (let i = 0; i < m; i++) {
    for (let p = 0; p < k; p++) {
      const x = f32.load(a + (<usize>(i * k + p) << 2));
      let from = b + (<usize>(p * n) << 2), to = c + (<usize>(i * n) << 2);
      for (const end = to + (<usize>n << 2); to != end; from += 4, to += 4) {
        f32.store(to, f32.load(to) + x * f32.load(from));
      }
    }
  }
}
