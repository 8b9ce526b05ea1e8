// Philox-4x32-10 (Salmon et al. 2011) for four counters at once. src/tensor/random.ts has the same for one.

// What philox4 leaves behind: word w of the block of counter j is lane j of random<w>. Each thread has its own.
export let random0: v128 = i32x4.splat(0);
export let random1: v128 = i32x4.splat(0);
export let random2: v128 = i32x4.splat(0);
export let random3: v128 = i32x4.splat(0);

export function philox4(c0: v128, c1: v128, c2: v128, c3: v128, key0: i32, key1: i32): void {
  const m0 = i32x4.splat(0xd2511f53), m1 = i32x4.splat(0xcd9e8d57);
  for (let round = 0; round < 10; round++) {
    const a = i64x2.extmul_low_i32x4_u(c0, m0), b = i64x2.extmul_high_i32x4_u(c0, m0);
    const c = i64x2.extmul_low_i32x4_u(c2, m1), d = i64x2.extmul_high_i32x4_u(c2, m1);
    c0 = v128.xor(v128.xor(v128.shuffle<i32>(c, d, 1, 3, 5, 7), c1), i32x4.splat(key0));
    c2 = v128.xor(v128.xor(v128.shuffle<i32>(a, b, 1, 3, 5, 7), c3), i32x4.splat(key1));
    c1 = v128.shuffle<i32>(c, d, 0, 2, 4, 6);
    c3 = v128.shuffle<i32>(a, b, 0, 2, 4, 6);
    key0 += 0x9e3779b9;
    key1 += 0xbb67ae85;
  }
  random0 = c0;
  random1 = c1;
  random2 = c2;
  random3 = c3;
}
