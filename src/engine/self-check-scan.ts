import type { Engine } from "./engine.ts";
import { H, holds, N, number, place, rowOf, sigmoid, sizes, withScratch } from "./self-check.ts";

function check(engine: Engine): boolean {
  const { chunk: _, ...step } = sizes;
  const output = place(engine, N * H);
  const h = place(engine, N * H, number);
  engine.run("linearScanForward", { ...step, a: h, b: h, output, h }, 2, 2);
  if (!holds(engine, output, N * H, (i) => number(i) * number(i) + number(i))) return false;
  const state = place(engine, N * H, number);
  engine.run("minGruForward", { ...step, pre: place(engine, 2 * N * H, number), output, h: state }, 2, 2);
  return holds(engine, state, N * H, (i) => {
    const at = rowOf(i) * 2 * H + (i % H);
    const [z, x] = [sigmoid(number(at)), number(at + H)];
    return (1 - z) * number(i) + z * (x >= 0 ? x + 0.5 : sigmoid(x));
  });
}

export const checkScan = withScratch(check);
