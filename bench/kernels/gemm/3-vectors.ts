// The same four floats at a time, multiply and add in one instruction.
import { madd } from "../../../assembly/math";
import { loadUpTo4, storeUpTo4 } from "../../../assembly/vector";

export function product(a: usize, b: usize, c: usize, m: i32, n: i32, k: i32, scratch: usize): void {
  memory.fill(c, 0, <usize>(m * n) << 2);
  for (let i = 0; i < m; i++) {
    for (let p = 0; p < k; p++) {
      const x = v128.load32_splat(a + (<usize>(i * k + p) << 2));
      let from = b + (<usize>(p * n) << 2), to = c + (<usize>(i * n) << 2);
      for (let left = n; left > 0; left -= 4, from += 16, to += 16) {
        storeUpTo4(to, madd(x, loadUpTo4(from, left), loadUpTo4(to, left)), left);
      }
    }
  }
}
