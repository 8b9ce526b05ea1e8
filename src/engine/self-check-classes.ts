import { PRODUCT_SCRATCH } from "./control.ts";
import type { Engine } from "./engine.ts";
import { H, holds, N, number, place, product, sum, withScratch } from "./self-check.ts";

/** Thirteen rows of one class of 21 words. */
function check(engine: Engine): boolean {
  const K = 9;
  const ints = (values: ArrayLike<number>) => {
    const at = engine.memory.scratch(4 * values.length);
    engine.memory.i32(at, values.length).set(values);
    return at;
  };
  const each = Array.from({ length: N }, (_, i) => i);
  const floats = Math.ceil(H / 16) * 16 * (K + 1);
  const losses = place(engine, N);
  const args = {
    ...{ x: place(engine, N * K, number), weight: place(engine, H * K, number), bias: 0 },
    ...{
      groups: ints([0, 0, H, 0, N, 0]),
      order: ints(each),
      targets: ints(each),
      p: place(engine, N * H),
      losses,
    },
    ...{ direct: 0, size: 0, hashes: 0, orders: 0, H: K, chunk: 1 },
    ...{
      packed: place(engine, floats),
      packedBytes: 4 * floats,
      scratch: engine.memory.scratch(PRODUCT_SCRATCH),
    },
  };
  engine.run("classWordsForward", args, 1, 1);
  return holds(engine, losses, N, (row) => {
    const logits = Float64Array.from({ length: H }, (_, column) => product(row, column, K));
    return Math.log(sum(logits.map(Math.exp))) - logits[row]!;
  });
}

export const checkClasses = withScratch(check);
