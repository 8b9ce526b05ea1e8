import { PRODUCT_SCRATCH } from "./control.ts";
import type { Engine } from "./engine.ts";
import { number, place, withScratch } from "./self-check.ts";

/** Images of 7 × 6 under kernels of 3 × 2, their edges padded; of both, so many that a panel is full and another is not. */
function check(engine: Engine): boolean {
  const [channels, rows, columns, O] = [3, 7, 6, 5];
  const k = channels * 3 * 2;
  const positions = rows * (columns + 1);
  const panels = 4 * (k + 1) * 16 * 16;
  const y = place(engine, O * positions);
  const sizes = {
    C: channels,
    H: rows,
    W: columns,
    O,
    kernelH: 3,
    kernelW: 2,
    outH: rows,
    outW: columns + 1,
  };
  const args = {
    ...{ ...sizes, strideH: 1, strideW: 1, padH: 1, padW: 1, N: 1, chunk: 1, dx: 0, dWeight: 0, y },
    x: place(engine, channels * rows * columns, number),
    weight: place(engine, O * k, number),
    bias: place(engine, O, number),
    ...{ scratch: engine.memory.scratch(PRODUCT_SCRATCH + panels), scratchBytes: PRODUCT_SCRATCH + panels },
  };
  engine.run("convForward", args, 1, 1);
  return engine.memory.f32(y, O * positions).every((value, at) => {
    const [o, row, column] = [Math.floor(at / positions), Math.floor(at / 7) % rows, at % 7];
    let expected = number(o);
    for (let tap = 0; tap < k; tap++) {
      const [c, i, j] = [Math.floor(tap / 6), row + (Math.floor(tap / 2) % 3) - 1, column + (tap % 2) - 1];
      if (i < 0 || i >= rows || j < 0 || j >= columns) continue;
      expected += number((c * rows + i) * columns + j) * number(o * k + tap);
    }
    return value === expected;
  });
}

export const checkConv = withScratch(check);
