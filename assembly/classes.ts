// Softmax factorised by classes (Mikolov et al. 2011): P(w | x) = P(c | x)·P(w | c, x). A class is a range of words.
// Rows are put in the order of their classes, so that a class's words are one small product; a unit is such a group.
// Direct connections (Mikolov et al. 2011, "Strategies for training large scale neural network language models") add to
// logits the weights of the n-grams that end at the row, found by hashing: see direct.ts.
import { addDirect } from "./direct";
import { gemm, packPanel, panelBytes, scratchOf } from "./gemm";
import { ln } from "./math";
import { scanRow, softmaxRow, top, total } from "./softmax-rows";
import { loadUpTo4, storeUpTo4 } from "./vector";

// A group: six words of the table.
@inline function word(groups: usize, g: i32, which: usize): i32 {
  return i32.load(groups + <usize>g * 24 + (which << 2));
}
const CLASS: usize = 0;
const START: usize = 1; // its first word
const WORDS: usize = 2;
const FIRST: usize = 3; // its first row, in the order of the classes
const ROWS: usize = 4;
const AT: usize = 5; // where its [rows, words] stand in `p`, in floats

@unmanaged export class ClassWordsArgs {
  x: usize; // [R, H] by class
  weight: usize; bias: usize; // [V, H], [V]
  groups: usize; // [G, 6]
  order: usize; targets: usize; // [R] by class: where a row was, and which word of its class is its target
  p: usize; // out: P(w | c, x) of each row's class
  losses: usize; // [R] where rows were: −ln P(target | c, x) is added
  direct: usize; size: i32; hashes: usize; orders: i32; // [size], [R, orders] where rows were; 0: none
  H: i32; packed: usize; packedBytes: usize; scratch: usize; chunk: i32;
}

/** P(w | c, x) for the words w of each row's class c, groups [from, to). */
export function classWordsForward(a: ClassWordsArgs, from: i32, to: i32): void {
  const H = a.H, bytes = <usize>H << 2;
  const packed = a.packed + <usize>(from / a.chunk) * a.packedBytes;
  const scratch = scratchOf(a.scratch, from, a.chunk);
  for (let g = from; g < to; g++) {
    const words = word(a.groups, g, WORDS), rows = word(a.groups, g, ROWS), first = <usize>word(a.groups, g, FIRST);
    const start = <usize>word(a.groups, g, START), key = word(a.groups, g, CLASS) + 1;
    let p = a.p + (<usize>word(a.groups, g, AT) << 2);
    const bias = a.bias ? a.bias + (start << 2) : 0;
    for (let j = 0, out = packed; j < words; j += 16, out += panelBytes(H)) {
      packPanel(a.weight + start * bytes, 4, bytes, bias, 0, 0, H, words, j, out);
    }
    gemm(a.x + first * bytes, bytes, 4, packed, p, <usize>words << 2, rows, words, H, false, scratch);
    for (let r = first, end = first + rows; r < end; r++, p += <usize>words << 2) {
      const row = <usize>i32.load(a.order + (r << 2)), loss = a.losses + (row << 2);
      if (a.direct) addDirect(p, words, a.direct, a.size, a.hashes + row * a.orders * 4, a.orders, key);
      const logit = f32.load(p + (<usize>i32.load(a.targets + (r << 2)) << 2));
      f32.store(loss, f32(f64(f32.load(loss)) + softmaxRow(p, p, words, scratch) - f64(logit)));
    }
  }
}

@unmanaged export class ClassWordsBackwardArgs {
  x: usize; weight: usize; groups: usize; order: usize; targets: usize; p: usize; // as in forward
  dLoss: usize; stride: i32; factor: usize; // a row's gradient is dLoss[row·stride]·factor
  e: usize; // like p, out: the gradient of the logits
  dx: usize; // [R, H] by class, out; 0: none
  dWeight: usize; dBias: usize; // added to; 0: none
  H: i32; packed: usize; packedBytes: usize; scratch: usize; chunk: i32;
}

/** e = g·(p − [target]), dx = e·W, dW += eᵀ·x, db += Σ e */
export function classWordsBackward(a: ClassWordsBackwardArgs, from: i32, to: i32): void {
  const H = a.H, bytes = <usize>H << 2;
  const packed = a.packed + <usize>(from / a.chunk) * a.packedBytes;
  const scratch = scratchOf(a.scratch, from, a.chunk);
  for (let i = from; i < to; i++) {
    const words = word(a.groups, i, WORDS), rows = word(a.groups, i, ROWS), first = <usize>word(a.groups, i, FIRST);
    const start = <usize>word(a.groups, i, START), width = <usize>words << 2, at = <usize>word(a.groups, i, AT) << 2;
    let p = a.p + at, e = a.e + at;
    for (let r = first, end = first + rows; r < end; r++, p += width, e += width) {
      const row = i32.load(a.order + (r << 2));
      const g = f32.load(a.dLoss + (<usize>(row * a.stride) << 2)) * (a.factor ? f32.load(a.factor) : 1);
      const scale = f32x4.splat(g), hit = e + (<usize>i32.load(a.targets + (r << 2)) << 2);
      for (let j = 0; j < words; j += 4) {
        const k = <usize>j << 2;
        storeUpTo4(e + k, f32x4.mul(scale, loadUpTo4(p + k, words - j)), words - j);
      }
      f32.store(hit, f32.load(hit) - g);
      if (a.dBias) addRow(e, a.dBias + (start << 2), words);
    }
    e = a.e + at;
    const x = a.x + first * bytes, weight = a.weight + start * bytes;
    if (a.dx) {
      packAll(weight, bytes, words, H, packed);
      gemm(e, width, 4, packed, a.dx + first * bytes, bytes, rows, H, words, false, scratch);
    }
    if (a.dWeight) {
      packAll(x, bytes, rows, H, packed);
      gemm(e, 4, width, packed, a.dWeight + start * bytes, bytes, words, H, rows, true, scratch);
    }
  }
}

/** Packs all of B [k, n]. */
function packAll(b: usize, bRow: usize, k: i32, n: i32, out: usize): void {
  for (let j = 0; j < n; j += 16, out += panelBytes(k)) packPanel(b, bRow, 4, 0, 0, 0, k, n, j, out);
}

function addRow(x: usize, out: usize, n: i32): void {
  for (; n > 0; n -= 4, x += 16, out += 16) storeUpTo4(out, f32x4.add(loadUpTo4(out, n), loadUpTo4(x, n)), n);
}

@unmanaged export class ClassDirectArgs {
  logits: usize; classes: i32; // [R, C]
  direct: usize; size: i32; hashes: usize; orders: i32; // [size], [R, orders]
}

/** Adds the direct connections to the classes' logits; a unit is a row. */
export function classDirect(a: ClassDirectArgs, from: i32, to: i32): void {
  for (let row = <usize>from; row < <usize>to; row++) {
    addDirect(a.logits + row * a.classes * 4, a.classes, a.direct, a.size, a.hashes + row * a.orders * 4, a.orders, 0);
  }
}

@unmanaged export class ClassLogProbsArgs {
  classLogits: usize; classes: i32; starts: usize; // [R, C], with direct connections; [C + 1]
  logits: usize; words: i32; // [R, V] in: x·Wᵀ + b, out: ln P(w | x)
  direct: usize; size: i32; hashes: usize; orders: i32;
  scratch: usize; // [R, 8]
}

/** ln P(w | x) = ln P(c | x) + ln P(w | c, x) for every word; a unit is a row. */
export function classLogProbs(a: ClassLogProbsArgs, from: i32, to: i32): void {
  for (let row = <usize>from; row < <usize>to; row++) {
    const classLogits = a.classLogits + row * a.classes * 4, scratch = a.scratch + (row << 5);
    scanRow(classLogits, a.classes, scratch);
    const ofClasses = f64(top) + ln(total);
    for (let c = 0; c < a.classes; c++) {
      const start = i32.load(a.starts + (<usize>c << 2)), words = i32.load(a.starts + (<usize>c << 2), 4) - start;
      let y = a.logits + (row * a.words + start) * 4;
      if (a.direct) addDirect(y, words, a.direct, a.size, a.hashes + row * a.orders * 4, a.orders, c + 1);
      scanRow(y, words, scratch);
      const logit = f64(f32.load(classLogits + (<usize>c << 2)));
      const shift = f32x4.splat(f32(logit - ofClasses - f64(top) - ln(total)));
      for (let n = words; n > 0; n -= 4, y += 16) storeUpTo4(y, f32x4.add(loadUpTo4(y, n), shift), n);
    }
  }
}
