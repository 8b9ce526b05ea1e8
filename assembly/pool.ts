// Pooling of images' planes: the largest, or the mean, of what is under a window.

@unmanaged export class PoolArgs {
  x: usize; // planes of H·W
  y: usize; // planes of outH·outW
  where: usize; // int32 like y: where in its plane the largest is
  H: i32; W: i32; outH: i32; outW: i32; kernelH: i32; kernelW: i32; strideH: i32; strideW: i32; padH: i32; padW: i32;
}

/** y = the largest under the window, the first of them, what is outside left out; a unit is a plane */
export function maxPoolForward(a: PoolArgs, from: i32, to: i32): void {
  let at = <usize>(from * a.outH * a.outW) << 2;
  for (let plane = from; plane < to; plane++) {
    const x = a.x + (<usize>(plane * a.H * a.W) << 2);
    for (let i = 0; i < a.outH; i++) {
      const top = i * a.strideH - a.padH, y0 = max(top, 0), y1 = min(top + a.kernelH, a.H);
      for (let j = 0; j < a.outW; j++, at += 4) {
        const left = j * a.strideW - a.padW, x0 = max(left, 0), x1 = min(left + a.kernelW, a.W);
        let best = y0 * a.W + x0;
        let largest = f32.load(x + (<usize>best << 2));
        for (let row = y0; row < y1; row++) {
          for (let column = x0; column < x1; column++) {
            const place = row * a.W + column, value = f32.load(x + (<usize>place << 2));
            if (!(value > largest) && value == value) continue; // NaN is passed on
            largest = value;
            best = place;
          }
        }
        f32.store(a.y + at, largest);
        i32.store(a.where + at, best);
      }
    }
  }
}

@unmanaged export class MaxPoolBackwardArgs { dy: usize; dx: usize; where: usize; size: i32; outSize: i32 }

/** dx[where] += dy; a unit is a plane */
export function maxPoolBackward(a: MaxPoolBackwardArgs, from: i32, to: i32): void {
  let at = <usize>(from * a.outSize) << 2;
  for (let plane = from; plane < to; plane++) {
    const dx = a.dx + (<usize>(plane * a.size) << 2);
    for (let i = 0; i < a.outSize; i++, at += 4) {
      const p = dx + (<usize>i32.load(a.where + at) << 2);
      f32.store(p, f32.load(p) + f32.load(a.dy + at));
    }
  }
}

/** y = the mean of the window, where what is outside counts as 0; a unit is a plane */
export function averagePoolForward(a: PoolArgs, from: i32, to: i32): void {
  const scale: f32 = 1 / f32(a.kernelH * a.kernelW);
  let at = <usize>(from * a.outH * a.outW) << 2;
  for (let plane = from; plane < to; plane++) {
    const x = a.x + (<usize>(plane * a.H * a.W) << 2);
    for (let i = 0; i < a.outH; i++) {
      const top = i * a.strideH - a.padH, y0 = max(top, 0), y1 = min(top + a.kernelH, a.H);
      for (let j = 0; j < a.outW; j++, at += 4) {
        const left = j * a.strideW - a.padW, x0 = max(left, 0), x1 = min(left + a.kernelW, a.W);
        let sum: f32 = 0;
        for (let row = y0; row < y1; row++) {
          for (let column = x0; column < x1; column++) sum += f32.load(x + (<usize>(row * a.W + column) << 2));
        }
        f32.store(a.y + at, sum * scale);
      }
    }
  }
}

/** x += what each window spreads of its y, so that `x` is dx and `y` is dy; a unit is a plane */
export function averagePoolBackward(a: PoolArgs, from: i32, to: i32): void {
  const scale: f32 = 1 / f32(a.kernelH * a.kernelW);
  let at = <usize>(from * a.outH * a.outW) << 2;
  for (let plane = from; plane < to; plane++) {
    const x = a.x + (<usize>(plane * a.H * a.W) << 2);
    for (let i = 0; i < a.outH; i++) {
      const top = i * a.strideH - a.padH, y0 = max(top, 0), y1 = min(top + a.kernelH, a.H);
      for (let j = 0; j < a.outW; j++, at += 4) {
        const left = j * a.strideW - a.padW, x0 = max(left, 0), x1 = min(left + a.kernelW, a.W);
        const share = f32.load(a.y + at) * scale;
        for (let row = y0; row < y1; row++) {
          for (let column = x0; column < x1; column++) {
            const p = x + (<usize>(row * a.W + column) << 2);
            f32.store(p, f32.load(p) + share);
          }
        }
      }
    }
  }
}
