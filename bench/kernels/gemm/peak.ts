// Not a product: as many multiply-adds as there would be, on registers alone. What 256 bits can do at most.
import { madd } from "../../../assembly/math";

export function product(a: usize, b: usize, c: usize, m: i32, n: i32, k: i32, scratch: usize): void {
  const x = v128.load(a), y = v128.load(a, 16);
  let c0 = v128.load(c), c1 = v128.load(c, 16), c2 = v128.load(c, 32), c3 = v128.load(c, 48);
  let c4 = v128.load(c, 64), c5 = v128.load(c, 80), c6 = v128.load(c, 96), c7 = v128.load(c, 112);
  let c8 = v128.load(c, 128), c9 = v128.load(c, 144), d0 = v128.load(c, 160), d1 = v128.load(c, 176);
  let d2 = v128.load(c, 192), d3 = v128.load(c, 208), d4 = v128.load(c, 224), d5 = v128.load(c, 240);
  let d6 = v128.load(c, 256), d7 = v128.load(c, 272), d8 = v128.load(c, 288), d9 = v128.load(c, 304);
  for (let i: i64 = <i64>m * n * k / 80; i > 0; i--) {
    c0 = madd(x, x, c0), c1 = madd(y, y, c1), c2 = madd(x, x, c2), c3 = madd(y, y, c3);
    c4 = madd(x, x, c4), c5 = madd(y, y, c5), c6 = madd(x, x, c6), c7 = madd(y, y, c7);
    c8 = madd(x, x, c8), c9 = madd(y, y, c9), d0 = madd(x, x, d0), d1 = madd(y, y, d1);
    d2 = madd(x, x, d2), d3 = madd(y, y, d3), d4 = madd(x, x, d4), d5 = madd(y, y, d5);
    d6 = madd(x, x, d6), d7 = madd(y, y, d7), d8 = madd(x, x, d8), d9 = madd(y, y, d9);
  }
  v128.store(c, c0), v128.store(c, c1, 16), v128.store(c, c2, 32), v128.store(c, c3, 48);
  v128.store(c, c4, 64), v128.store(c, c5, 80), v128.store(c, c6, 96), v128.store(c, c7, 112);
  v128.store(c, c8, 128), v128.store(c, c9, 144), v128.store(c, d0, 160), v128.store(c, d1, 176);
  v128.store(c, d2, 192), v128.store(c, d3, 208), v128.store(c, d4, 224), v128.store(c, d5, 240);
  v128.store(c, d6, 256), v128.store(c, d7, 272), v128.store(c, d8, 288), v128.store(c, d9, 304);
}
