/** One update of the weights. */
export interface Update {
  loss: number;
  tokens: number;
  seconds: number;
  gradNorm: number;
  /** Of each parameter, if asked for. */
  gradNorms?: ReadonlyMap<string, number> | undefined;
  learningRate: number;
}

/** Milliseconds between step events: often enough to watch. */
const INTERVAL = 500;

/** Gathers updates from one step event to the next: `every` so many, or as time goes by. */
export class Report {
  readonly #every: number | undefined;
  #since = performance.now();
  #loss = 0;
  #tokens = 0;
  #seconds = 0;
  #last: Update | undefined;

  constructor(every: number | undefined) {
    this.#every = every;
  }

  add(update: Update): void {
    this.#loss += update.loss * update.tokens;
    this.#tokens += update.tokens;
    this.#seconds += update.seconds;
    this.#last = update;
  }

  get empty(): boolean {
    return this.#tokens === 0;
  }

  /** After an update, whether it is time for an event; `step` is the number of updates. */
  due(step: number): boolean {
    return this.#every === undefined ? performance.now() - this.#since >= INTERVAL : step % this.#every === 0;
  }

  /** The mean since the last time. */
  take() {
    const { gradNorm, gradNorms, learningRate } = this.#last!;
    const taken = {
      loss: this.#loss / this.#tokens,
      gradNorm,
      gradNorms,
      learningRate,
      tokensPerSecond: this.#tokens / this.#seconds,
    };
    this.#since = performance.now();
    this.#loss = this.#tokens = this.#seconds = 0;
    return taken;
  }
}
