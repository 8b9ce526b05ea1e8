// Element by element. Functions of one number have a kernel each, for of the loops in a switch V8's revectoriser takes up
// only one. They run over the end of an array into its padding: memory comes in blocks of 64 bytes, and threads part at
// multiples of them.
import { constant, exp4, log4, madd, nmadd, sigmoid4, splat, tanh4 } from "./math";
import { firstOffset, secondOffset } from "./layout";
import { loadTail, storeTail } from "./vector";

const EXP: i32 = 0, LOG: i32 = 1, SQRT: i32 = 2, ABS: i32 = 3, SQUARE: i32 = 4, TANH: i32 = 5, SIGMOID: i32 = 6,
  RELU: i32 = 7, POW: i32 = 8, CLAMP: i32 = 9;

/** e^x, 0 below e^−87 and ∞ above e^88, where exp4 alone stops. */
@inline function exponential(x: v128): v128 {
  const e = v128.andnot(exp4(x), f32x4.lt(x, constant(-87)));
  return v128.bitselect(splat(Infinity), e, f32x4.gt(x, constant(88)));
}

/** x^p: by squaring for a whole p, which takes negative x too, else e^(p·ln x). */
function power(x: v128, p: f32): v128 {
  if (p != nearest(p) || abs(p) > 1024) return exponential(f32x4.mul(splat(p), log4(x)));
  let y = constant(1);
  for (let n = i32(abs(p)); n; n >>= 1) {
    if (n & 1) y = f32x4.mul(y, x);
    x = f32x4.mul(x, x);
  }
  return p < 0 ? f32x4.div(constant(1), y) : y;
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
  if (op == RELU) return f32x4.pmax(x, constant(0)); // unlike max, one instruction; NaN stays
  return f32x4.pmin(f32x4.pmax(x, splat(p)), splat(q));
}

/** Its derivative, at v: y where that is all it takes (exp, sqrt, tanh, sigmoid, relu), else x. */
@inline function derivative(op: i32, v: v128, p: f32, q: f32): v128 {
  if (op == EXP) return v;
  if (op == LOG) return f32x4.div(constant(1), v);
  if (op == SQRT) return f32x4.div(constant(0.5), v);
  if (op == ABS) {
    const one = v128.or(v128.and(v, splat(-0.0)), constant(1));
    return v128.and(one, f32x4.ne(v, constant(0)));
  }
  if (op == SQUARE) return f32x4.add(v, v);
  if (op == TANH) return nmadd(v, v, constant(1));
  if (op == SIGMOID) return nmadd(v, v, v);
  if (op == RELU) return v128.and(constant(1), f32x4.gt(v, constant(0)));
  if (op == POW) return p == 0 ? constant(0) : f32x4.mul(splat(p), power(v, p - 1));
  return v128.and(constant(1), v128.and(f32x4.ge(v, splat(p)), f32x4.le(v, splat(q))));
}

@unmanaged export class UnaryArgs { x: usize; out: usize; p: f32; q: f32 }

/** out = f(x) */
@inline function forwardLoop(op: i32, a: UnaryArgs, from: i32, to: i32): void {
  const p = a.p, q = a.q;
  let x = a.x + (<usize>from << 2), out = a.out + (<usize>from << 2);
  for (let n = to - from; n > 0; n -= 8, x += 32, out += 32) {
    const low = v128.load(x), high = v128.load(x, 16);
    const y = value(op, low, p, q), z = value(op, high, p, q);
    v128.store(out, y);
    v128.store(out, z, 16);
  }
}

export function expForward(a: UnaryArgs, from: i32, to: i32): void { forwardLoop(EXP, a, from, to); }
export function logForward(a: UnaryArgs, from: i32, to: i32): void { forwardLoop(LOG, a, from, to); }
export function sqrtForward(a: UnaryArgs, from: i32, to: i32): void { forwardLoop(SQRT, a, from, to); }
export function absForward(a: UnaryArgs, from: i32, to: i32): void { forwardLoop(ABS, a, from, to); }
export function squareForward(a: UnaryArgs, from: i32, to: i32): void { forwardLoop(SQUARE, a, from, to); }
export function tanhForward(a: UnaryArgs, from: i32, to: i32): void { forwardLoop(TANH, a, from, to); }
export function sigmoidForward(a: UnaryArgs, from: i32, to: i32): void { forwardLoop(SIGMOID, a, from, to); }
export function reluForward(a: UnaryArgs, from: i32, to: i32): void { forwardLoop(RELU, a, from, to); }
export function clampForward(a: UnaryArgs, from: i32, to: i32): void { forwardLoop(CLAMP, a, from, to); }

/** One vector at a time: of a pair of them V8's revectoriser makes a crash. */
export function powForward(a: UnaryArgs, from: i32, to: i32): void {
  let x = a.x + (<usize>from << 2), out = a.out + (<usize>from << 2);
  for (let n = to - from; n > 0; n -= 4, x += 16, out += 16) v128.store(out, power(v128.load(x), a.p));
}

@unmanaged export class UnaryBackwardArgs { v: usize; dy: usize; dx: usize; p: f32; q: f32 }

/** dx += dy·f′, from v = x or y */
@inline function backwardLoop(op: i32, a: UnaryBackwardArgs, from: i32, to: i32): void {
  const p = a.p, q = a.q, at = <usize>from << 2;
  let v = a.v + at, dy = a.dy + at, dx = a.dx + at;
  for (let n = to - from; n > 0; n -= 8, v += 32, dy += 32, dx += 32) {
    const v0 = v128.load(v), v1 = v128.load(v, 16);
    const dy0 = v128.load(dy), dy1 = v128.load(dy, 16);
    const dx0 = v128.load(dx), dx1 = v128.load(dx, 16);
    const slope0 = derivative(op, v0, p, q), slope1 = derivative(op, v1, p, q);
    const sum0 = madd(dy0, slope0, dx0), sum1 = madd(dy1, slope1, dx1);
    v128.store(dx, sum0);
    v128.store(dx, sum1, 16);
  }
}

export function expBackward(a: UnaryBackwardArgs, from: i32, to: i32): void { backwardLoop(EXP, a, from, to); }
export function logBackward(a: UnaryBackwardArgs, from: i32, to: i32): void { backwardLoop(LOG, a, from, to); }
export function sqrtBackward(a: UnaryBackwardArgs, from: i32, to: i32): void { backwardLoop(SQRT, a, from, to); }
export function absBackward(a: UnaryBackwardArgs, from: i32, to: i32): void { backwardLoop(ABS, a, from, to); }
export function squareBackward(a: UnaryBackwardArgs, from: i32, to: i32): void { backwardLoop(SQUARE, a, from, to); }
export function tanhBackward(a: UnaryBackwardArgs, from: i32, to: i32): void { backwardLoop(TANH, a, from, to); }
export function sigmoidBackward(a: UnaryBackwardArgs, from: i32, to: i32): void { backwardLoop(SIGMOID, a, from, to); }
export function reluBackward(a: UnaryBackwardArgs, from: i32, to: i32): void { backwardLoop(RELU, a, from, to); }
export function powBackward(a: UnaryBackwardArgs, from: i32, to: i32): void { backwardLoop(POW, a, from, to); }
export function clampBackward(a: UnaryBackwardArgs, from: i32, to: i32): void { backwardLoop(CLAMP, a, from, to); }

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
  return v128.or(v128.and(constant(1), wins), v128.and(constant(0.5), ties));
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
