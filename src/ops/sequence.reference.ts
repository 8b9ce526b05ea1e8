/**
 * The little linear algebra that the references of rnn, lstm and gru are written in. Each function adds to its first
 * argument; one that is absent (empty) stays so, and an absent term adds nothing.
 */

/** The i-th row of a row-major array. */
export function row(a: Float64Array, i: number, width: number): Float64Array {
  return a.subarray(i * width, (i + 1) * width);
}

/** The rows [from, to) of a matrix. */
export function rows(W: Float64Array, from: number, to: number, width: number): Float64Array {
  return W.subarray(from * width, to * width);
}

/** The time indices a sequence is read in. */
export function readingOrder(length: number, reverse: boolean): number[] {
  return Array.from({ length }, (_, k) => (reverse ? length - 1 - k : k));
}

/** y += x */
export function add(y: Float64Array, x: Float64Array): void {
  if (x.length > 0) for (let i = 0; i < y.length; i++) y[i]! += x[i]!;
}

/** y += W x */
export function addProduct(y: Float64Array, W: Float64Array, x: Float64Array): void {
  for (let i = 0; i < y.length; i++) {
    for (let j = 0; j < x.length; j++) y[i]! += W[i * x.length + j]! * x[j]!;
  }
}

/** x += Wᵀ y */
export function addTransposedProduct(x: Float64Array, W: Float64Array, y: Float64Array): void {
  for (let i = 0; i < y.length; i++) {
    for (let j = 0; j < x.length; j++) x[j]! += W[i * x.length + j]! * y[i]!;
  }
}

/** W += y xᵀ */
export function addOuter(W: Float64Array, y: Float64Array, x: Float64Array): void {
  if (W.length === 0) return;
  for (let i = 0; i < y.length; i++) {
    for (let j = 0; j < x.length; j++) W[i * x.length + j]! += y[i]! * x[j]!;
  }
}

export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
