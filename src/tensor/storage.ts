import type { DType, Values } from "./dtype.ts";

/** What a scope lends memory to: see autograd/step.ts. */
export interface Scope {
  readonly alive: boolean;
  backward(from: Storage): void;
  backwardFrom(seeds: readonly { storage: Storage; grad: ArrayLike<number> }[]): void;
}

/**
 * Where a tensor's values are: on the JavaScript side (`host`), or in the engine's memory at `address`, there either
 * for good (a parameter, `scope` undefined) or until `scope` ends. Tensors that differ in shape alone share one.
 */
export class Storage {
  readonly dtype: DType;
  readonly length: number;
  /** The storage's own: nothing else may refer to it. Of a persistent one that is absent, the values are zeros. */
  host: Values | undefined;
  address = 0;
  scope: Scope | undefined;
  /** Moves to the heap on first use and stays: parameters and optimizer state. */
  readonly persistent: boolean;
  /** How often it was overwritten, by `set` or by an optimizer: what was packed from it knows that it is stale. */
  version = 0;
  requiresGrad = false;
  /** Computed from others on the tape; its gradient is dropped once it has been passed on. */
  derived = false;
  grad: Storage | undefined;

  constructor(dtype: DType, length: number, options: { host?: Values; persistent?: boolean } = {}) {
    this.dtype = dtype;
    this.length = length;
    this.host = options.host;
    this.persistent = options.persistent ?? false;
  }
}
