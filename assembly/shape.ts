// Moving elements without changing them: slices, permutations, rows by index. Backward moves the gradient the other way
// and adds; hence `accumulate`. Any four-byte element can be copied, only float32 added.
import { firstOffset, secondOffset } from "./layout";
import { loadTail, loadUpTo4, storeTail } from "./vector";

/** dst (+)= src, n elements */
export function moveRow(src: usize, dst: usize, n: i32, accumulate: i32): void {
  if (accumulate) {
    for (; n >= 4; n -= 4, src += 16, dst += 16) v128.store(dst, f32x4.add(v128.load(dst), v128.load(src)));
    if (n) storeTail(dst, f32x4.add(loadTail(dst, n), loadTail(src, n)), n);
  } else if (n > 512) memory.copy(dst, src, <usize>n << 2);
  else {
    for (; n >= 4; n -= 4, src += 16, dst += 16) v128.store(dst, v128.load(src));
    if (n) storeTail(dst, loadTail(src, n), n);
  }
}

@unmanaged export class CopyRowsArgs {
  src: usize; dst: usize; width: i32; srcStride: i32; dstStride: i32; accumulate: i32
}

/** dst[r·dstStride + j] (+)= src[r·srcStride + j] for j < width; a unit is an element (r, j) */
export function copyRows(a: CopyRowsArgs, from: i32, to: i32): void {
  let row = from / a.width, column = from % a.width;
  for (let i = from; i < to; row++, column = 0) {
    const n = min(a.width - column, to - i);
    const src = a.src + (<usize>row * a.srcStride + column << 2);
    moveRow(src, a.dst + (<usize>row * a.dstStride + column << 2), n, a.accumulate);
    i += n;
  }
}

@unmanaged export class PermuteRowsArgs {
  src: usize; dst: usize; table: usize; rank: i32; width: i32; accumulate: i32
}

/** Rows that stay whole: row r goes from the table's first place for it to the second; a unit is a row */
export function permuteRows(a: PermuteRowsArgs, from: i32, to: i32): void {
  for (let row = from; row < to; row++) {
    const src = a.src + (<usize>firstOffset(a.table, a.rank, row) << 2);
    moveRow(src, a.dst + (<usize>secondOffset(a.table, a.rank, row) << 2), a.width, a.accumulate);
  }
}

@unmanaged export class PermuteTilesArgs {
  src: usize; dst: usize; table: usize; rank: i32; rows: i32; columns: i32; srcStride: i32; dstStride: i32;
  accumulate: i32
}

/**
 * Matrices transposed: dst[i·dstStride + j] (+)= src[j·srcStride + i] for i < rows, j < columns, one matrix for every
 * place of the table; a unit is 16 rows of one of them
 */
export function permuteTiles(a: PermuteTilesArgs, from: i32, to: i32): void {
  const blocks = (a.rows + 15) / 16, srcStride = <usize>a.srcStride << 2, dstStride = <usize>a.dstStride << 2;
  const accumulate = a.accumulate;
  for (let unit = from; unit < to; unit++) {
    const matrix = unit / blocks, first = (unit % blocks) * 16, last = min(first + 16, a.rows);
    const src = a.src + (<usize>firstOffset(a.table, a.rank, matrix) << 2);
    const dst = a.dst + (<usize>secondOffset(a.table, a.rank, matrix) << 2);
    for (let j = 0; j < a.columns; j += 4) {
      for (let i = first; i < last; i += 4) {
        const p = src + <usize>j * srcStride + (<usize>i << 2), q = dst + <usize>i * dstStride + (<usize>j << 2);
        const height = last - i, width = a.columns - j;
        if (height >= 4 && width >= 4) turn4x4(p, srcStride, q, dstStride, accumulate);
        else turnRest(p, srcStride, q, dstStride, min(height, 4), min(width, 4), accumulate);
      }
    }
  }
}

@inline function turn4x4(p: usize, srcStride: usize, q: usize, dstStride: usize, accumulate: i32): void {
  const r0 = v128.load(p), r1 = v128.load(p + srcStride);
  const r2 = v128.load(p + 2 * srcStride), r3 = v128.load(p + 3 * srcStride);
  const a = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5), b = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
  const c = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7), d = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
  put(q, v128.shuffle<f32>(a, b, 0, 1, 4, 5), accumulate);
  put(q + dstStride, v128.shuffle<f32>(a, b, 2, 3, 6, 7), accumulate);
  put(q + 2 * dstStride, v128.shuffle<f32>(c, d, 0, 1, 4, 5), accumulate);
  put(q + 3 * dstStride, v128.shuffle<f32>(c, d, 2, 3, 6, 7), accumulate);
}

@inline function put(q: usize, v: v128, accumulate: i32): void {
  v128.store(q, accumulate ? f32x4.add(v128.load(q), v) : v);
}

function turnRest(
  p: usize, srcStride: usize, q: usize, dstStride: usize, height: i32, width: i32, accumulate: i32,
): void {
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      const from = p + <usize>j * srcStride + (<usize>i << 2), to = q + <usize>i * dstStride + (<usize>j << 2);
      if (accumulate) f32.store(to, f32.load(to) + f32.load(from));
      else i32.store(to, i32.load(from));
    }
  }
}

@unmanaged export class GatherArgs {
  x: usize; indices: usize; out: usize; size: i32; count: i32; width: i32
}

/** out[o, k, :] = x[o, indices[k], :] for x [outer, size, width]; a unit is a row (o, k) */
export function gatherForward(a: GatherArgs, from: i32, to: i32): void {
  for (let row = from; row < to; row++) {
    const index = i32.load(a.indices + (<usize>(row % a.count) << 2));
    const src = a.x + (<usize>(row / a.count * a.size + index) * a.width << 2);
    moveRow(src, a.out + (<usize>row * a.width << 2), a.width, 0);
  }
}

@unmanaged export class GatherBackwardArgs {
  dy: usize; indices: usize; dx: usize; size: i32; count: i32; width: i32; skip: i32
}

/**
 * dx[o, indices[k], :] += dy[o, k, :] but for the index `skip`, in the order of k whatever the threads; a unit is a
 * column (o, j), never a k
 */
export function gatherBackward(a: GatherBackwardArgs, from: i32, to: i32): void {
  const width = a.width, stride = <usize>width << 2;
  for (let unit = from; unit < to; ) {
    const o = unit / width, column = unit % width;
    const n = min(width - column, to - unit);
    const dx = a.dx + <usize>o * a.size * stride + (<usize>column << 2);
    let dy = a.dy + <usize>o * a.count * stride + (<usize>column << 2);
    for (let k = 0; k < a.count; k++, dy += stride) {
      const index = i32.load(a.indices + (<usize>k << 2));
      if (index != a.skip) moveRow(dy, dx + <usize>index * stride, n, 1);
    }
    unit += n;
  }
}

@unmanaged export class FirstOutsideArgs { indices: usize; count: i32; limit: i32; except: i32; out: usize }

/** out = the first place whose index is neither in [0, limit) nor `except`, or −1; one unit */
export function firstOutside(a: FirstOutsideArgs, from: i32, to: i32): void {
  const limit = i32x4.splat(a.limit), except = i32x4.splat(a.except);
  let found = -1;
  for (let i = 0; i < a.count; i += 4) {
    const x = loadUpTo4(a.indices + (<usize>i << 2), a.count - i); // missing lanes hold 0
    const bad = v128.and(i32x4.ge_u(x, limit), i32x4.ne(x, except));
    if (v128.any_true(bad)) {
      found = i + ctz(i32x4.bitmask(bad));
      break;
    }
  }
  i32.store(a.out, found);
}

@unmanaged export class ReverseArgs {
  x: usize; lengths: usize; out: usize; time: i32; batch: i32; width: i32; accumulate: i32
}

/** out[t, n] (+)= x[length − 1 − t, n] for t < length, else 0; its own inverse; a unit is a row (t, n) */
export function reverseRows(a: ReverseArgs, from: i32, to: i32): void {
  const bytes = <usize>a.width << 2;
  for (let row = from; row < to; row++) {
    const t = row / a.batch, n = row % a.batch;
    const length = a.lengths ? i32.load(a.lengths + (<usize>n << 2)) : a.time;
    const out = a.out + <usize>row * bytes;
    if (t < length) moveRow(a.x + <usize>((length - 1 - t) * a.batch + n) * bytes, out, a.width, a.accumulate);
    else if (!a.accumulate) memory.fill(out, 0, bytes);
  }
}
