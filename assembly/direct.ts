// Direct connections from n-grams to outputs: one array of weights, found by hashing. What a row has before it gives a
// hash for each order; with a key (0: the classes, c + 1: the words of class c) that is the place of as many weights as
// there are outputs, which stand side by side. n-grams that hash alike share weights.

/** The finalizer of MurmurHash3: every bit of h has a say in every bit of the result. */
@inline function mix(h: u32): u32 {
  h = (h ^ (h >> 16)) * 0x85ebca6b;
  h = (h ^ (h >> 13)) * 0xc2b2ae35;
  return h ^ (h >> 16);
}

/** Where the weights of an n-gram's `outputs` begin, of `size`. */
@inline export function placeOf(hash: u32, key: i32, outputs: i32, size: i32): usize {
  return <usize>((u64(mix(hash + u32(key) * 0x9e3779b1)) * u64(size - outputs + 1)) >> 32);
}

/** logits[j] += the weights of every order's n-gram; hashes of 0 have none. */
export function addDirect(logits: usize, outputs: i32, direct: usize, size: i32, hashes: usize, orders: i32, key: i32): void {
  for (let k = 0; k < orders; k++) {
    const hash = load<u32>(hashes + (<usize>k << 2));
    if (hash == 0) return;
    let d = direct + (placeOf(hash, key, outputs, size) << 2), y = logits, n = outputs;
    for (; n >= 4; n -= 4, d += 16, y += 16) v128.store(y, f32x4.add(v128.load(y), v128.load(d)));
    for (; n > 0; n--, d += 4, y += 4) f32.store(y, f32.load(y) + f32.load(d));
  }
}

@unmanaged export class NgramHashesArgs {
  tokens: usize; before: usize; // i32 [T, N]; f32 [K, N]: the K tokens before, the last one last, −1 where there is none
  hashes: usize; next: usize; // out: i32 [T, N, orders]; f32 [K, N], as `before` for what comes next
  T: i32; N: i32; K: i32; orders: i32;
}

/** The token `back` steps before time t, or −1. */
@inline function tokenAt(a: NgramHashesArgs, t: i32, n: i32): i32 {
  if (t >= 0) return i32.load(a.tokens + (<usize>(t * a.N + n) << 2));
  return t < -a.K ? -1 : i32(f32.load(a.before + (<usize>((a.K + t) * a.N + n) << 2)));
}

/** hashes[t, n, k]: of the k tokens that end at time t; 0 where there are not so many. A unit is a sequence. */
export function ngramHashes(a: NgramHashesArgs, from: i32, to: i32): void {
  for (let n = from; n < to; n++) {
    for (let t = 0; t < a.T; t++) {
      const out = a.hashes + (<usize>((t * a.N + n) * a.orders) << 2);
      let hash: u32 = 0x2545f491;
      for (let k = 0; k < a.orders; k++) {
        if (k > 0) {
          const token = tokenAt(a, t - k + 1, n);
          if (token < 0) hash = 0;
          else if (hash) hash = max(mix(hash ^ (u32(token + 1) * 0x9e3779b1)), 1);
        }
        store<u32>(out + (<usize>k << 2), hash);
      }
    }
    for (let k = 0; k < a.K; k++) {
      f32.store(a.next + (<usize>(k * a.N + n) << 2), f32(tokenAt(a, a.T - a.K + k, n)));
    }
  }
}

@unmanaged export class DirectUpdateArgs {
  direct: usize; size: i32; hashes: usize; orders: i32;
  classErrors: usize; classes: i32; // [R, C]
  groups: usize; groupCount: i32; order: usize; errors: usize; // as in classes.ts
  dLoss: usize; stride: i32; factor: usize;
  rate: f32; decay: f32;
}

/**
 * w ← w − rate·(error + g·decay·w) for every weight that a row uses, g the row's share of the loss: a step of SGD on
 * loss + decay/2·Σ w², row by row. A unit is a weight, so that the threads share the array and not the rows.
 */
export function directUpdate(a: DirectUpdateArgs, from: i32, to: i32): void {
  for (let i = 0; i < a.groupCount; i++) {
    const group = a.groups + <usize>i * 24;
    const key = i32.load(group) + 1, words = i32.load(group, 8), first = <usize>i32.load(group, 12);
    const rows = i32.load(group, 16);
    let e = a.errors + (<usize>i32.load(group, 20) << 2);
    for (let r = first, end = first + rows; r < end; r++, e += <usize>words << 2) {
      const row = <usize>i32.load(a.order + (r << 2));
      const g = f32.load(a.dLoss + (row * a.stride << 2)) * (a.factor ? f32.load(a.factor) : 1);
      const hashes = a.hashes + (row * a.orders << 2), shrink = a.rate * g * a.decay;
      for (let k = 0; k < a.orders; k++) {
        const hash = load<u32>(hashes + (<usize>k << 2));
        if (hash == 0) break;
        learn(a, hash, 0, a.classErrors + (row * a.classes << 2), a.classes, shrink, from, to);
        learn(a, hash, key, e, words, shrink, from, to);
      }
    }
  }
}

/** The part in [from, to) of what one n-gram learns from one row. */
function learn(a: DirectUpdateArgs, hash: u32, key: i32, e: usize, outputs: i32, shrink: f32, from: i32, to: i32): void {
  const place = i32(placeOf(hash, key, outputs, a.size));
  const end = min(place + outputs, to), rate = f32x4.splat(a.rate), keep = f32x4.splat(1 - shrink);
  let i = max(place, from);
  e += <usize>(i - place) << 2;
  let d = a.direct + (<usize>i << 2);
  for (; i + 4 <= end; i += 4, d += 16, e += 16) {
    v128.store(d, f32x4.sub(f32x4.mul(keep, v128.load(d)), f32x4.mul(rate, v128.load(e))));
  }
  for (; i < end; i++, d += 4, e += 4) {
    f32.store(d, (1 - shrink) * f32.load(d) - a.rate * f32.load(e));
  }
}
