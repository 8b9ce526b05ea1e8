// What a search asks of each step.
import { ln, splat } from "./math";
import { scanRow, top, total } from "./softmax-rows";

@unmanaged export class TopLogProbsArgs {
  x: usize; logProbs: usize; tokens: usize; scratch: usize; width: i32; count: i32
}

/** The `count` largest x − ln Σ eˣ of a row and where they stand, the largest first, of equals the first; scratch [rows, 8] */
export function topLogProbs(a: TopLogProbsArgs, from: i32, to: i32): void {
  const count = a.count, width = a.width;
  for (let row = from; row < to; row++) {
    const at = <usize>row * count << 2, values = a.logProbs + at, tokens = a.tokens + at;
    const x = a.x + (<usize>row * width << 2);
    scanRow(x, width, a.scratch + (<usize>row << 5));
    let kept = 0, least: f32 = -Infinity;
    for (let i = 0; i < width; i += 4) {
      const p = x + (<usize>i << 2), left = min(4, width - i);
      if (kept == count && left == 4 && !v128.any_true(f32x4.gt(v128.load(p), splat(least)))) continue;
      for (let lane = 0; lane < left; lane++) {
        const value = f32.load(p + (<usize>lane << 2));
        if (kept == count && !(value > least)) continue;
        let place = min(kept, count - 1);
        for (; place > 0 && f32.load(values + (<usize>(place - 1) << 2)) < value; place--) {
          f32.store(values + (<usize>place << 2), f32.load(values + (<usize>(place - 1) << 2)));
          i32.store(tokens + (<usize>place << 2), i32.load(tokens + (<usize>(place - 1) << 2)));
        }
        f32.store(values + (<usize>place << 2), value);
        i32.store(tokens + (<usize>place << 2), i + lane);
        kept = min(kept + 1, count);
        if (kept == count) least = f32.load(values + (<usize>(count - 1) << 2));
      }
    }
    const log = f32(ln(total));
    for (let k = 0; k < count; k++) {
      f32.store(values + (<usize>k << 2), f32.load(values + (<usize>k << 2)) - top - log);
    }
  }
}
