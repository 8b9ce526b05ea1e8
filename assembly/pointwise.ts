// Element by element. `op` says what is computed; each case holds a loop of its own. The unary loops run over the end of
// an array into its padding: memory comes in blocks of 64 bytes, and threads part at multiples of them.
import { exp4, log4, madd, nmadd, sigmoid4, splat, tanh4 } from "./math";
import { firstOffset, secondOffset } from "./layout";
import { loadTail, storeTail } from "./vector";

// src/ops/pointwise.ts has the same list.
const EXP: i32 = 0, LOG: i32 = 1, SQRT: i32 = 2, ABS: i32 = 3, SQUARE: i32 = 4, TANH: i32 = 5, SIGMOID: i32 = 6,
  RELU: i32 = 7, POW: i32 = 8, CLAMP: i32 = 9;

/** e^x over all of float32; exp4 alone stops at e^−87 and e^88. */
@inline function exponential(x: v128): v128 {
  const e = v128.andnot(exp4(x), f32x4.lt(x, splat(-87)));
  return v128.bitselect(splat(Infinity), e, f32x4.gt(x, splat(88)));
}

/** x^p: by squaring for a whole p, which takes negative x too, else e^(p·ln x). */
function power(x: v128, p: f32): v128 {
  if (p != nearest(p) || abs(p) > 1024) return exponential(f32x4.mul(splat(p), log4(x)));
  let y = splat(1);
  for (let n = i32(abs(p)); n; n >>= 1) {
    if (n & 1) y = f32x4.mul(y, x);
    x = f32x4.mul(x, x);
  }
  return p < 0 ? f32x4.div(splat(1), y) : y;
}

/** The function itself; p and q are the exponent, or the bounds. */
@inline function value(op: i32, x: v128, p: f32, q: f32): v128 {
  if (op == EXP) return exponential(x);
  if (op == LOG) return log4(x);
  if (op == SQRT) return f32x4.sqrt(x);
  if (op == ABS) return f32x4.abs(x);
  if (op == SQUARE) return f32x4.mul(x, x);
  if (op == TANH) return tanh4(x);
  if (op == SIGMOID) return sigmoid4(x);
  if (op == RELU) return f32x4.max(x, splat(0));
  if (op == POW) return power(x, p);
  return f32x4.min(f32x4.max(x, splat(p)), splat(q));
}

/** Its derivative, at v: y where that is all it takes (exp, sqrt, tanh, sigmoid, relu), else x. */
@inline function derivative(op: i32, v: v128, p: f32, q: f32): v128 {
  if (op == EXP) return v;
  if (op == LOG) return f32x4.div(splat(1), v);
  if (op == SQRT) return f32x4.div(splat(0.5), v);
  if (op == ABS) {
    const one = v128.or(v128.and(v, splat(-0.0)), splat(1));
    return v128.and(one, f32x4.ne(v, splat(0)));
  }
  if (op == SQUARE) return f32x4.add(v, v);
  if (op == TANH) return nmadd(v, v, splat(1));
  if (op == SIGMOID) return nmadd(v, v, v);
  if (op == RELU) return v128.and(splat(1), f32x4.gt(v, splat(0)));
  if (op == POW) return p == 0 ? splat(0) : f32x4.mul(splat(p), power(v, p - 1));
  return v128.and(splat(1), v128.and(f32x4.ge(v, splat(p)), f32x4.le(v, splat(q))));
}

@unmanaged export class UnaryArgs { x: usize; out: usize; op: i32; p: f32; q: f32 }

/** out = f(x) */
export function unaryForward(a: UnaryArgs, from: i32, to: i32): void {
  const x = a.x + (<usize>from << 2), out = a.out + (<usize>from << 2), n = to - from, p = a.p, q = a.q;
  switch (a.op) {
    case EXP: return forwardLoop(EXP, x, out, n, p, q);
    case LOG: return forwardLoop(LOG, x, out, n, p, q);
    case SQRT: return forwardLoop(SQRT, x, out, n, p, q);
    case ABS: return forwardLoop(ABS, x, out, n, p, q);
    case SQUARE: return forwardLoop(SQUARE, x, out, n, p, q);
    case TANH: return forwardLoop(TANH, x, out, n, p, q);
    case SIGMOID: return forwardLoop(SIGMOID, x, out, n, p, q);
    case RELU: return forwardLoop(RELU, x, out, n, p, q);
    case POW: return forwardLoop(POW, x, out, n, p, q);
    case CLAMP: return forwardLoop(CLAMP, x, out, n, p, q);
  }
}

@inline function forwardLoop(op: i32, x: usize, out: usize, n: i32, p: f32, q: f32): void {
  for (; n > 0; n -= 8, x += 32, out += 32) {
    const low = v128.load(x), high = v128.load(x, 16);
    const y = value(op, low, p, q), z = value(op, high, p, q);
    v128.store(out, y);
    v128.store(out, z, 16);
  }
}

@unmanaged export class UnaryBackwardArgs { v: usize; dy: usize; dx: usize; op: i32; p: f32; q: f32 }

/** dx += dy·f′, from v = x or y */
export function unaryBackward(a: UnaryBackwardArgs, from: i32, to: i32): void {
  const at = <usize>from << 2, v = a.v + at, dy = a.dy + at, dx = a.dx + at, n = to - from, p = a.p, q = a.q;
  switch (a.op) {
    case EXP: return backwardLoop(EXP, v, dy, dx, n, p, q);
    case LOG: return backwardLoop(LOG, v, dy, dx, n, p, q);
    case SQRT: return backwardLoop(SQRT, v, dy, dx, n, p, q);
    case ABS: return backwardLoop(ABS, v, dy, dx, n, p, q);
    case SQUARE: return backwardLoop(SQUARE, v, dy, dx, n, p, q);
    case TANH: return backwardLoop(TANH, v, dy, dx, n, p, q);
    case SIGMOID: return backwardLoop(SIGMOID, v, dy, dx, n, p, q);
    case RELU: return backwardLoop(RELU, v, dy, dx, n, p, q);
    case POW: return backwardLoop(POW, v, dy, dx, n, p, q);
    case CLAMP: return backwardLoop(CLAMP, v, dy, dx, n, p, q);
  }
}

@inline function backwardLoop(op: i32, v: usize, dy: usize, dx: usize, n: i32, p: f32, q: f32): void {
  for (; n > 0; n -= 8, v += 32, dy += 32, dx += 32) {
    const v0 = v128.load(v), v1 = v128.load(v, 16);
    const dy0 = v128.load(dy), dy1 = v128.load(dy, 16);
    const dx0 = v128.load(dx), dx1 = v128.load(dx, 16);
    const slope0 = derivative(op, v0, p, q), slope1 = derivative(op, v1, p, q);
    v128.store(dx, madd(dy0, slope0, dx0));
    v128.store(dx, madd(dy1, slope1, dx1), 16);
  }
}

// src/ops/binary.ts has the same list.
const ADD: i32 = 0, SUB: i32 = 1, MUL: i32 = 2, DIV: i32 = 3, MAXIMUM: i32 = 4, MINIMUM: i32 = 5;

/**
 * Two operands that broadcast, over rows of `inner` elements: an operand's row begins where the table says, and it
 * goes along the row (step 1) or is one number for all of it (step 0).
 */
@unmanaged export class BinaryArgs {
  a: usize; b: usize; out: usize; op: i32; table: usize; rank: i32; inner: i32; stepA: i32; stepB: i32
}

/** out = a ∘ b */
export function binaryForward(a: BinaryArgs, from: i32, to: i32): void {
  const inner = a.inner, stepA = <usize>a.stepA, stepB = <usize>a.stepB;
  let row = from / inner, column = from % inner;
  for (let i = from; i < to; row++, column = 0) {
    const n = min(inner - column, to - i);
    const x = a.a + (<usize>firstOffset(a.table, a.rank, row) + column * stepA << 2);
    const y = a.b + (<usize>secondOffset(a.table, a.rank, row) + column * stepB << 2);
    const out = a.out + (<usize>i << 2);
    switch (a.op) {
      case ADD: combineRow(ADD, x, stepA, y, stepB, out, n); break;
      case SUB: combineRow(SUB, x, stepA, y, stepB, out, n); break;
      case MUL: combineRow(MUL, x, stepA, y, stepB, out, n); break;
      case DIV: combineRow(DIV, x, stepA, y, stepB, out, n); break;
      case MAXIMUM: combineRow(MAXIMUM, x, stepA, y, stepB, out, n); break;
      case MINIMUM: combineRow(MINIMUM, x, stepA, y, stepB, out, n); break;
    }
    if (n & 3) combineTail(a.op, x, stepA, y, stepB, out, n);
    i += n;
  }
}

@inline function combine(op: i32, x: v128, y: v128): v128 {
  if (op == ADD) return f32x4.add(x, y);
  if (op == SUB) return f32x4.sub(x, y);
  if (op == MUL) return f32x4.mul(x, y);
  if (op == DIV) return f32x4.div(x, y);
  if (op == MAXIMUM) return f32x4.max(x, y);
  return f32x4.min(x, y);
}

/** All but the last n mod 4 of n elements. */
@inline function combineRow(op: i32, a: usize, stepA: usize, b: usize, stepB: usize, out: usize, n: i32): void {
  let x = v128.load32_splat(a), y = v128.load32_splat(b);
  for (; n >= 4; n -= 4, a += 16 * stepA, b += 16 * stepB, out += 16) {
    if (stepA) x = v128.load(a);
    if (stepB) y = v128.load(b);
    v128.store(out, combine(op, x, y));
  }
}

/** The last n mod 4 of n elements. */
function combineTail(op: i32, a: usize, stepA: usize, b: usize, stepB: usize, out: usize, n: i32): void {
  const done = <usize>(n & ~3) << 2;
  const x = operandTail(a + done * stepA, stepA, n & 3), y = operandTail(b + done * stepB, stepB, n & 3);
  storeTail(out + done, combine(op, x, y), n & 3);
}

@inline function operandTail(p: usize, step: usize, n: i32): v128 {
  return step ? loadTail(p, n) : v128.load32_splat(p);
}

@unmanaged export class BinaryBackwardArgs {
  dy: usize; a: usize; b: usize; out: usize; op: i32; accumulate: i32; table: usize; rank: i32; inner: i32; stepA: i32;
  stepB: i32
}

// Which gradient: that of an operand of mul (dy times the other), of div's a or b, or of the larger or smaller one.
const OF_MUL: i32 = 0, OF_DIVIDEND: i32 = 1, OF_DIVISOR: i32 = 2, OF_MAXIMUM: i32 = 3, OF_MINIMUM: i32 = 4;

/**
 * out (+)= dy·∂y/∂a, of the full shape. The roles: a is the operand differentiated, b the other; for div's divisor, a
 * is the dividend and b the divisor. add and sub need no kernel.
 */
export function binaryBackward(a: BinaryBackwardArgs, from: i32, to: i32): void {
  const inner = a.inner, stepA = <usize>a.stepA, stepB = <usize>a.stepB, add = a.accumulate;
  let row = from / inner, column = from % inner;
  for (let i = from; i < to; row++, column = 0) {
    const n = min(inner - column, to - i);
    const x = a.a + (<usize>firstOffset(a.table, a.rank, row) + column * stepA << 2);
    const y = a.b + (<usize>secondOffset(a.table, a.rank, row) + column * stepB << 2);
    const dy = a.dy + (<usize>i << 2), out = a.out + (<usize>i << 2);
    switch (a.op) {
      case OF_MUL: gradientRow(OF_MUL, dy, x, stepA, y, stepB, out, n, add); break;
      case OF_DIVIDEND: gradientRow(OF_DIVIDEND, dy, x, stepA, y, stepB, out, n, add); break;
      case OF_DIVISOR: gradientRow(OF_DIVISOR, dy, x, stepA, y, stepB, out, n, add); break;
      case OF_MAXIMUM: gradientRow(OF_MAXIMUM, dy, x, stepA, y, stepB, out, n, add); break;
      case OF_MINIMUM: gradientRow(OF_MINIMUM, dy, x, stepA, y, stepB, out, n, add); break;
    }
    if (n & 3) gradientTail(a.op, dy, x, stepA, y, stepB, out, n, add);
    i += n;
  }
}

/** Where the operands of maximum or minimum are equal, each gets half. */
@inline function shareOf(wins: v128, ties: v128): v128 {
  return v128.or(v128.and(splat(1), wins), v128.and(splat(0.5), ties));
}

@inline function gradient(op: i32, dy: v128, a: v128, b: v128): v128 {
  if (op == OF_MUL) return f32x4.mul(dy, b);
  if (op == OF_DIVIDEND) return f32x4.div(dy, b);
  if (op == OF_DIVISOR) return f32x4.neg(f32x4.div(f32x4.mul(dy, f32x4.div(a, b)), b));
  const ties = f32x4.eq(a, b);
  if (op == OF_MAXIMUM) return f32x4.mul(dy, shareOf(f32x4.gt(a, b), ties));
  return f32x4.mul(dy, shareOf(f32x4.lt(a, b), ties));
}

@inline function gradientRow(
  op: i32, dy: usize, a: usize, stepA: usize, b: usize, stepB: usize, out: usize, n: i32, accumulate: i32,
): void {
  let x = v128.load32_splat(a), y = v128.load32_splat(b);
  for (; n >= 4; n -= 4, dy += 16, a += 16 * stepA, b += 16 * stepB, out += 16) {
    if (stepA) x = v128.load(a);
    if (stepB) y = v128.load(b);
    const g = gradient(op, v128.load(dy), x, y);
    v128.store(out, accumulate ? f32x4.add(v128.load(out), g) : g);
  }
}

function gradientTail(
  op: i32, dy: usize, a: usize, stepA: usize, b: usize, stepB: usize, out: usize, n: i32, accumulate: i32,
): void {
  const done = <usize>(n & ~3) << 2;
  const x = operandTail(a + done * stepA, stepA, n & 3), y = operandTail(b + done * stepB, stepB, n & 3);
  const g = gradient(op, loadTail(dy + done, n & 3), x, y);
  storeTail(out + done, accumulate ? f32x4.add(loadTail(out + done, n & 3), g) : g, n & 3);
}
