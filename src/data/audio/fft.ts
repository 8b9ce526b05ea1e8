/** The spectra of real signals of one length, a power of two, in float64 (Cooley and Tukey 1965, radix 2). */
export class RealFft {
  readonly size: number;
  readonly #cos: Float64Array;
  readonly #sin: Float64Array;
  readonly #order: Uint32Array;
  readonly #real: Float64Array;
  readonly #imaginary: Float64Array;

  constructor(size: number) {
    const half = size / 2;
    this.size = size;
    this.#cos = Float64Array.from({ length: size }, (_, k) => Math.cos((2 * Math.PI * k) / size));
    this.#sin = Float64Array.from({ length: size }, (_, k) => Math.sin((2 * Math.PI * k) / size));
    this.#real = new Float64Array(half);
    this.#imaginary = new Float64Array(half);
    const bits = Math.log2(half);
    this.#order = Uint32Array.from({ length: half }, (_, i) => {
      let reversed = 0;
      for (let b = 0; b < bits; b++) reversed |= ((i >> b) & 1) << (bits - 1 - b);
      return reversed;
    });
  }

  /** |X[k]|² of k = 0 … size/2; a signal that is shorter goes on with zeros. */
  power(signal: ArrayLike<number>, out = new Float64Array(this.size / 2 + 1)): Float64Array {
    this.#transformHalves(signal);
    const [re, im] = [this.#real, this.#imaginary];
    const half = this.size / 2;
    for (let k = 0; k <= half; k++) {
      // Even samples went in as the real part and odd ones as the imaginary; their spectra E and O are told apart by
      // symmetry, and X[k] = E[k] + e^(−2πik/size)·O[k].
      const [a, b] = [k % half, (half - k) % half];
      const evenRe = (re[a]! + re[b]!) / 2;
      const evenIm = (im[a]! - im[b]!) / 2;
      const oddRe = (im[a]! + im[b]!) / 2;
      const oddIm = (re[b]! - re[a]!) / 2;
      const [c, s] = [this.#cos[k]!, this.#sin[k]!];
      const x = evenRe + c * oddRe + s * oddIm;
      const y = evenIm + c * oddIm - s * oddRe;
      out[k] = x * x + y * y;
    }
    return out;
  }

  /** The complex transform of size/2 that has the even samples as real and the odd ones as imaginary parts. */
  #transformHalves(signal: ArrayLike<number>): void {
    const [re, im, order] = [this.#real, this.#imaginary, this.#order];
    const half = this.size / 2;
    for (let i = 0; i < half; i++) {
      const from = 2 * order[i]!;
      re[i] = from < signal.length ? signal[from]! : 0;
      im[i] = from + 1 < signal.length ? signal[from + 1]! : 0;
    }
    for (let span = 1; span < half; span *= 2) {
      const turn = half / span; // of the circle of `size` steps
      for (let start = 0; start < half; start += 2 * span) {
        for (let k = 0; k < span; k++) {
          const [c, s] = [this.#cos[k * turn]!, this.#sin[k * turn]!];
          const [p, q] = [start + k, start + k + span];
          const x = re[q]! * c + im[q]! * s;
          const y = im[q]! * c - re[q]! * s;
          re[q] = re[p]! - x;
          im[q] = im[p]! - y;
          re[p]! += x;
          im[p]! += y;
        }
      }
    }
  }
}
