import type { Engine } from "./engine.ts";
import { H, holds, N, place, withScratch } from "./self-check.ts";

/** With all classes alike, L labels of which r repeat the one before have C(T + L − r, 2L) alignments of V^−T each. */
function check(engine: Engine): boolean {
  const [T, L] = [N, 5];
  const { memory } = engine;
  const integers = (values: number[]) => {
    const address = memory.scratch(4 * values.length);
    memory.i32(address, values.length).set(values);
    return address;
  };
  const losses = place(engine, 2);
  const args = {
    logits: place(engine, T * 2 * H),
    targets: integers([1, 2, 3, 2, 1, 4, 4, 0, 0, 0]),
    inputLengths: integers([T, T]),
    targetLengths: integers([L, 2]),
    ...{ N: 2, V: H, L, blank: 0, zeroInfinity: 0, losses, rows: T + 1, scratchSize: 14 * 8 + 12 + H },
    paths: place(engine, 4),
    statistics: place(engine, T * 2 * 8),
    alphas: place(engine, 2 * (T + 1) * 36),
    scratch: place(engine, 2 * (14 * 8 + 12 + H)),
  };
  engine.run("ctcForward", args, 2, 2);
  const alignments = [43758, 1001]; // C(18, 10) and C(14, 4)
  return holds(engine, losses, 2, (n) => T * Math.log(H) - Math.log(alignments[n]!));
}

export const checkCtc = withScratch(check);
