// The definition: for every element of C a sum of products, B read down its columns.
export function product(a: usize, b: usize, c: usize, m: i32, n: i32, k: i32, scratch: usize): void {
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum: f32 = 0;
      for (let p = 0; p < k; p++) {
        sum += f32.load(a + (<usize>(i * k + p) << 2)) * f32.load(b + (<usize>(p * n + j) << 2));
      }
      f32.store(c + (<usize>(i * n + j) << 2), sum);
    }
  }
}
