/** One update of the weights. */
export interface Update {
  loss: number;
  tokens: number;
  seconds: number;
  gradNorm: number;
  learningRate: number;
}

/** Milliseconds between step events: often enough to watch. */
const INTERVAL = 500;

/** Gathers updates from one step event to the next. */
export class Report {
  #since = performance.now();
  #loss = 0;
  #tokens = 0;
  #seconds = 0;
  #last: Update | undefined;

  add(update: Update): void {
    this.#loss += update.loss * update.tokens;
    this.#tokens += update.tokens;
    this.#seconds += update.seconds;
    this.#last = update;
  }

  get empty(): boolean {
    return this.#tokens === 0;
  }

  due(): boolean {
    return !this.empty && performance.now() - this.#since >= INTERVAL;
  }

  /** The mean since the last time. */
  take() {
    const taken = {
      loss: this.#loss / this.#tokens,
      gradNorm: this.#last!.gradNorm,
      learningRate: this.#last!.learningRate,
      tokensPerSecond: this.#tokens / this.#seconds,
    };
    this.#since = performance.now();
    this.#loss = this.#tokens = this.#seconds = 0;
    return taken;
  }
}
