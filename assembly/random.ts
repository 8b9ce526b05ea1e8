// Philox-4x32-10 (Salmon et al. 2011) for eight counters at once. src/tensor/random.ts has the same for one.

/**
 * Draws the 32 words of the counters (c0, c1, c2, block … block + 7) and tells which are not below `threshold`: the i-th
 * word of counter block + j has bit 16·(j div 4) + 4·i + j mod 4. `keys`: the two key words of each of the ten rounds.
 */
export function drawBits(c0: i32, c1: i32, c2: i32, block: i32, keys: usize, threshold: i32): i32 {
  const m0 = i32x4.splat(0xd2511f53), m1 = i32x4.splat(0xcd9e8d57);
  let a0 = i32x4.splat(c0), a1 = i32x4.splat(c1), a2 = i32x4.splat(c2);
  let a3 = i32x4.add(i32x4.splat(block), i32x4(0, 1, 2, 3));
  let b0 = a0, b1 = a1, b2 = a2, b3 = i32x4.add(a3, i32x4.splat(4));
  for (const end = keys + 80; keys < end; keys += 8) {
    const k0 = v128.load32_splat(keys), k1 = v128.load32_splat(keys, 4);
    const p = i64x2.extmul_low_i32x4_u(a0, m0), q = i64x2.extmul_high_i32x4_u(a0, m0);
    const r = i64x2.extmul_low_i32x4_u(a2, m1), s = i64x2.extmul_high_i32x4_u(a2, m1);
    a0 = v128.xor(v128.xor(v128.shuffle<i32>(r, s, 1, 3, 5, 7), a1), k0);
    a2 = v128.xor(v128.xor(v128.shuffle<i32>(p, q, 1, 3, 5, 7), a3), k1);
    a1 = v128.shuffle<i32>(r, s, 0, 2, 4, 6);
    a3 = v128.shuffle<i32>(p, q, 0, 2, 4, 6);
    const t = i64x2.extmul_low_i32x4_u(b0, m0), u = i64x2.extmul_high_i32x4_u(b0, m0);
    const v = i64x2.extmul_low_i32x4_u(b2, m1), w = i64x2.extmul_high_i32x4_u(b2, m1);
    b0 = v128.xor(v128.xor(v128.shuffle<i32>(v, w, 1, 3, 5, 7), b1), k0);
    b2 = v128.xor(v128.xor(v128.shuffle<i32>(t, u, 1, 3, 5, 7), b3), k1);
    b1 = v128.shuffle<i32>(v, w, 0, 2, 4, 6);
    b3 = v128.shuffle<i32>(t, u, 0, 2, 4, 6);
  }
  const limit = i32x4.splat(threshold);
  const low = bitsOf(a0, limit) | bitsOf(a1, limit) << 4 | bitsOf(a2, limit) << 8 | bitsOf(a3, limit) << 12;
  const high = bitsOf(b0, limit) | bitsOf(b1, limit) << 4 | bitsOf(b2, limit) << 8 | bitsOf(b3, limit) << 12;
  return low | high << 16;
}

@inline function bitsOf(words: v128, limit: v128): i32 {
  return i32x4.bitmask(i32x4.ge_u(words, limit));
}
