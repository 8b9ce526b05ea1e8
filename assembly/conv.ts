// Convolution of images [N, C, H, W] by kernels [O, C, Kh, Kw], as products: the patches under a kernel are the columns of
// a matrix [C·Kh·Kw, positions], packed as it is made, so that it never stands in memory as a whole.
import { gemm, packPanel, panelBytes, SCRATCH } from "./gemm";

const PANELS: i32 = 16; // of 16 positions each, multiplied at a time

@unmanaged export class ConvArgs {
  x: usize; // [N, C, H, W]
  weight: usize; // [O, C, Kh, Kw]
  bias: usize; // [O], or 0
  y: usize; // [N, O, outH, outW]
  dx: usize; dWeight: usize;
  C: i32; H: i32; W: i32; O: i32; kernelH: i32; kernelW: i32; outH: i32; outW: i32;
  strideH: i32; strideW: i32; padH: i32; padW: i32; N: i32;
  scratch: usize; scratchBytes: usize; chunk: i32; // of each chunk: SCRATCH, then the panels
}

@inline function taps(a: ConvArgs): i32 {
  return a.C * a.kernelH * a.kernelW;
}

@inline function scratchFor(a: ConvArgs, from: i32): usize {
  return a.scratch + <usize>(from / a.chunk) * a.scratchBytes;
}

/** A row of a panel: what tap (c, i, j) of the kernel sees at positions [first, first + count) of an image; 0 outside. */
function packTap(a: ConvArgs, image: usize, c: i32, i: i32, j: i32, first: i32, count: i32, out: usize): void {
  const plane = image + (<usize>(c * a.H * a.W) << 2);
  let row = first / a.outW, column = first % a.outW;
  while (count > 0) {
    const run = min(count, a.outW - column);
    const y = row * a.strideH + i - a.padH;
    let x = column * a.strideW + j - a.padW;
    if (y < 0 || y >= a.H) memory.fill(out, 0, <usize>run << 2);
    else {
      const line = plane + (<usize>(y * a.W) << 2);
      if (run == 16 && a.strideW == 1 && x >= 0 && x + 16 <= a.W) {
        const p = line + (<usize>x << 2);
        const v0 = v128.load(p), v1 = v128.load(p, 16), v2 = v128.load(p, 32), v3 = v128.load(p, 48);
        v128.store(out, v0);
        v128.store(out, v1, 16);
        v128.store(out, v2, 32);
        v128.store(out, v3, 48);
      } else {
        for (let k: usize = 0; k < <usize>run << 2; k += 4, x += a.strideW) {
          f32.store(out + k, x < 0 || x >= a.W ? 0 : f32.load(line + (<usize>x << 2)));
        }
      }
    }
    out += <usize>run << 2;
    count -= run;
    column = 0;
    row++;
  }
}

/** Packs the patches of positions [first, first + 16·panels) of an image, as the right operand of a product. */
function packPatches(a: ConvArgs, image: usize, first: i32, positions: i32, out: usize): void {
  for (let p = first; p < first + positions; p += 16) {
    const count = min(16, first + positions - p);
    if (count < 16) memory.fill(out, 0, panelBytes(taps(a)));
    else memory.fill(out, 0, 64);
    out += 64;
    for (let c = 0; c < a.C; c++) {
      for (let i = 0; i < a.kernelH; i++) {
        for (let j = 0; j < a.kernelW; j++, out += 64) packTap(a, image, c, i, j, p, count, out);
      }
    }
  }
}

/** y[n, o] = bias[o] + Σ_c weight[o, c] ⋆ x[n, c]; a unit is an image */
export function convForward(a: ConvArgs, from: i32, to: i32): void {
  const positions = a.outH * a.outW, k = taps(a), plane = <usize>positions << 2;
  const scratch = scratchFor(a, from), packed = scratch + SCRATCH;
  for (let n = from; n < to; n++) {
    const image = a.x + (<usize>(n * a.C * a.H * a.W) << 2), y = a.y + <usize>(n * a.O) * plane;
    for (let o = 0; o < a.O; o++) {
      const bias = a.bias ? f32.load(a.bias + (<usize>o << 2)) : 0;
      for (let q = y + <usize>o * plane, end = q + plane; q < end; q += 4) f32.store(q, bias);
    }
    for (let p = 0; p < positions; p += 16 * PANELS) {
      const count = min(16 * PANELS, positions - p);
      packPatches(a, image, p, count, packed);
      gemm(a.weight, <usize>k << 2, 4, packed, y + (<usize>p << 2), plane, a.O, count, k, true, scratch);
    }
  }
}

/** Adds a row of patches' gradients, of tap (c, i, j), to where they came from: the adjoint of `packTap`. */
function addTap(a: ConvArgs, image: usize, c: i32, i: i32, j: i32, first: i32, count: i32, from: usize): void {
  const plane = image + (<usize>(c * a.H * a.W) << 2);
  let row = first / a.outW, column = first % a.outW;
  while (count > 0) {
    const run = min(count, a.outW - column);
    const y = row * a.strideH + i - a.padH;
    if (y >= 0 && y < a.H) {
      const line = plane + (<usize>(y * a.W) << 2);
      let x = column * a.strideW + j - a.padW, k = 0;
      if (a.strideW == 1) {
        for (; k < run && x < 0; k++) x++;
        for (; k + 4 <= run && x + 4 <= a.W; k += 4, x += 4) {
          const p = line + (<usize>x << 2);
          v128.store(p, f32x4.add(v128.load(p), v128.load(from + (<usize>k << 2))));
        }
      }
      for (; k < run; k++, x += a.strideW) {
        if (x < 0 || x >= a.W) continue;
        const p = line + (<usize>x << 2);
        f32.store(p, f32.load(p) + f32.load(from + (<usize>k << 2)));
      }
    }
    from += <usize>run << 2;
    count -= run;
    column = 0;
    row++;
  }
}

/** dx[n, c] += Σ_o weight[o, c] * dy[n, o], with dy in `y`; a unit is an image. Behind the panels: [taps, 16·PANELS]. */
export function convInput(a: ConvArgs, from: i32, to: i32): void {
  const positions = a.outH * a.outW, k = taps(a), plane = <usize>positions << 2;
  const scratch = scratchFor(a, from), packed = scratch + SCRATCH;
  const patches = packed + <usize>PANELS * panelBytes(a.O);
  for (let n = from; n < to; n++) {
    const image = a.dx + (<usize>(n * a.C * a.H * a.W) << 2), dy = a.y + <usize>(n * a.O) * plane;
    for (let p = 0; p < positions; p += 16 * PANELS) {
      const count = min(16 * PANELS, positions - p);
      for (let q = 0, out = packed; q < count; q += 16, out += panelBytes(a.O)) {
        packPanel(dy + (<usize>p << 2), plane, 4, 0, 0, 0, a.O, count, q, out);
      }
      gemm(a.weight, 4, <usize>k << 2, packed, patches, 64 * PANELS, k, count, a.O, false, scratch);
      let at = patches;
      for (let c = 0; c < a.C; c++) {
        for (let i = 0; i < a.kernelH; i++) {
          for (let j = 0; j < a.kernelW; j++, at += 64 * PANELS) addTap(a, image, c, i, j, p, count, at);
        }
      }
    }
  }
}

/**
 * dWeight[o, tap] += Σ over images and positions of dy[n, o]·patch, with dy in `y`; a unit is 16 taps, so that no sum is
 * split. Behind the panel of 16 taps: 16 rows of positions.
 */
export function convWeight(a: ConvArgs, from: i32, to: i32): void {
  const positions = a.outH * a.outW, k = taps(a), plane = <usize>positions << 2;
  const scratch = scratchFor(a, from), packed = scratch + SCRATCH, rows = packed + panelBytes(positions);
  for (let unit = from; unit < to; unit++) {
    const first = unit << 4, count = min(16, k - first);
    for (let n = 0; n < a.N; n++) {
      const image = a.x + (<usize>(n * a.C * a.H * a.W) << 2), dy = a.y + <usize>(n * a.O) * plane;
      for (let t = 0; t < count; t++) {
        const tap = first + t, area = a.kernelH * a.kernelW, within = tap % area;
        packTap(a, image, tap / area, within / a.kernelW, within % a.kernelW, 0, positions, rows + <usize>t * plane);
      }
      packPanel(rows, 4, plane, 0, 0, 0, positions, count, 0, packed);
      gemm(dy, plane, 4, packed, a.dWeight + (<usize>first << 2), <usize>k << 2, a.O, count, positions, true, scratch);
    }
  }
}

export { averagePoolBackward, averagePoolForward, maxPoolBackward, maxPoolForward } from "./pool";
export { batchNormBackward, batchNormForward } from "./batch-norm";
