// What optimizers do to a parameter p, in place: one pass reads the gradient g, updates the state and p, and leaves g
// zero for the next backward pass. A unit is a vector of four. Blocks of memory are whole cache lines (memory.ts), so
// the last vector may reach past the end of the tensor; what is there means nothing to anyone.
//
// `weightDecay` is L2: it adds weightDecay·p to the gradient. A coefficient 1 − x comes in as its own argument, because
// 1 − 0.999 in float32 is off by 5e-5.
import { madd, nmadd, splat } from "./math";

const VECTOR: usize = 4; // log₂ of its bytes

/**
 * Where the next gradient is that is not 0. Most rows of an embedding have none, and where that changes nothing of the
 * state either, nothing else of them is read or written.
 */
@inline function nextGradient(g: usize, at: usize, end: usize): usize {
  while (at < end && !v128.any_true(v128.load(g + at))) at += 16;
  return at;
}

@unmanaged export class SgdArgs {
  p: usize; g: usize;
  velocity: usize; // 0 without momentum
  learningRate: f32; momentum: f32; gain: f32; weightDecay: f32; nesterov: i32;
}

/** v ← momentum·v + gain·g, p ← p − learningRate·v; Nesterov: p ← p − learningRate·(g + momentum·v) */
export function sgdUpdate(a: SgdArgs, from: i32, to: i32): void {
  const rate = splat(a.learningRate), momentum = splat(a.momentum), gain = splat(a.gain), decay = splat(a.weightDecay);
  const end = <usize>to << VECTOR, sparse = !a.velocity && a.weightDecay == 0;
  for (let at = <usize>from << VECTOR; at < end; at += 16) {
    if (sparse) at = nextGradient(a.g, at, end);
    if (at >= end) return;
    const p = v128.load(a.p + at);
    let g = madd(decay, p, v128.load(a.g + at));
    if (a.velocity) {
      const v = madd(momentum, v128.load(a.velocity + at), f32x4.mul(gain, g));
      v128.store(a.velocity + at, v);
      g = a.nesterov ? madd(momentum, v, g) : v;
    }
    v128.store(a.p + at, nmadd(rate, g, p));
    v128.store(a.g + at, splat(0));
  }
}

@unmanaged export class AdagradArgs {
  p: usize; g: usize; sum: usize;
  learningRate: f32; epsilon: f32; weightDecay: f32;
}

/** sum ← sum + g², p ← p − learningRate·g / (√sum + ε) */
export function adagradUpdate(a: AdagradArgs, from: i32, to: i32): void {
  const rate = splat(a.learningRate), epsilon = splat(a.epsilon), decay = splat(a.weightDecay);
  const end = <usize>to << VECTOR, sparse = a.weightDecay == 0;
  for (let at = <usize>from << VECTOR; at < end; at += 16) {
    if (sparse) at = nextGradient(a.g, at, end);
    if (at >= end) return;
    const p = v128.load(a.p + at);
    const g = madd(decay, p, v128.load(a.g + at));
    const sum = madd(g, g, v128.load(a.sum + at));
    v128.store(a.sum + at, sum);
    v128.store(a.p + at, nmadd(rate, f32x4.div(g, f32x4.add(f32x4.sqrt(sum), epsilon)), p));
    v128.store(a.g + at, splat(0));
  }
}

@unmanaged export class RmspropArgs {
  p: usize; g: usize; square: usize;
  mean: usize; // 0 unless centered
  velocity: usize; // 0 without momentum
  learningRate: f32; oneMinusAlpha: f32; epsilon: f32; momentum: f32; weightDecay: f32;
}

/** s ← α·s + (1 − α)·g², u = g / (√(s − m²) + ε), v ← momentum·v + u, p ← p − learningRate·v */
export function rmspropUpdate(a: RmspropArgs, from: i32, to: i32): void {
  const rate = splat(a.learningRate), blend = splat(a.oneMinusAlpha), epsilon = splat(a.epsilon);
  const momentum = splat(a.momentum), decay = splat(a.weightDecay);
  const end = <usize>to << VECTOR;
  for (let at = <usize>from << VECTOR; at < end; at += 16) {
    const p = v128.load(a.p + at);
    const g = madd(decay, p, v128.load(a.g + at));
    let s = v128.load(a.square + at);
    s = madd(blend, f32x4.sub(f32x4.mul(g, g), s), s);
    v128.store(a.square + at, s);
    if (a.mean) {
      let m = v128.load(a.mean + at);
      m = madd(blend, f32x4.sub(g, m), m);
      v128.store(a.mean + at, m);
      s = f32x4.max(nmadd(m, m, s), splat(0)); // rounding may take it below 0
    }
    let u = f32x4.div(g, f32x4.add(f32x4.sqrt(s), epsilon));
    if (a.velocity) {
      u = madd(momentum, v128.load(a.velocity + at), u);
      v128.store(a.velocity + at, u);
    }
    v128.store(a.p + at, nmadd(rate, u, p));
    v128.store(a.g + at, splat(0));
  }
}

@unmanaged export class AdamArgs {
  p: usize; g: usize; mean: usize; square: usize;
  oneMinusBeta1: f32; oneMinusBeta2: f32;
  stepSize: f32; // learningRate / (1 − β₁ᵗ)
  correction: f32; // 1 / √(1 − β₂ᵗ)
  epsilon: f32; weightDecay: f32;
  shrink: f32; // AdamW: learningRate·weightDecay, taken off p itself
}

/** m ← β₁·m + (1 − β₁)·g, s ← β₂·s + (1 − β₂)·g², p ← p − shrink·p − stepSize·m / (correction·√s + ε) */
export function adamUpdate(a: AdamArgs, from: i32, to: i32): void {
  const blend1 = splat(a.oneMinusBeta1), blend2 = splat(a.oneMinusBeta2), stepSize = splat(a.stepSize);
  const correction = splat(a.correction), epsilon = splat(a.epsilon);
  const decay = splat(a.weightDecay), shrink = splat(a.shrink);
  const end = <usize>to << VECTOR;
  for (let at = <usize>from << VECTOR; at < end; at += 16) {
    const p = v128.load(a.p + at);
    const g = madd(decay, p, v128.load(a.g + at));
    let m = v128.load(a.mean + at), s = v128.load(a.square + at);
    m = madd(blend1, f32x4.sub(g, m), m);
    s = madd(blend2, f32x4.sub(f32x4.mul(g, g), s), s);
    v128.store(a.mean + at, m);
    v128.store(a.square + at, s);
    const u = f32x4.div(m, madd(correction, f32x4.sqrt(s), epsilon));
    v128.store(a.p + at, nmadd(stepSize, u, nmadd(shrink, p, p)));
    v128.store(a.g + at, splat(0));
  }
}

@unmanaged export class ClampGradientArgs { x: usize; limit: f32 }

/** x ← x, or ±limit where it is beyond; units are vectors of four */
export function clampGradient(a: ClampGradientArgs, from: i32, to: i32): void {
  const limit = splat(a.limit), negative = splat(-a.limit);
  const end = a.x + (<usize>to << VECTOR);
  for (let x = a.x + (<usize>from << VECTOR); x < end; x += 16) {
    v128.store(x, f32x4.max(f32x4.min(v128.load(x), limit), negative));
  }
}
