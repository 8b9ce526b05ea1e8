// What an Elman cell may put its sums through: the f of h = f(a), by number, as src/ops/rnn.ts has them.
import { constant, sigmoid4, tanh4 } from "./math";

const TANH: i32 = 0;
const RELU: i32 = 1;

@inline export function activate(x: v128, kind: i32): v128 {
  if (kind == TANH) return tanh4(x);
  if (kind == RELU) return f32x4.max(x, f32x4.splat(0));
  return sigmoid4(x);
}

/** df/da in terms of h = f(a). */
@inline export function slope(h: v128, kind: i32): v128 {
  const one = constant(1);
  if (kind == TANH) return f32x4.sub(one, f32x4.mul(h, h));
  if (kind == RELU) return v128.and(one, f32x4.gt(h, f32x4.splat(0)));
  return f32x4.mul(h, f32x4.sub(one, h));
}
