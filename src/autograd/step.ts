import { UsageError } from "../errors.ts";
import { keepStorage, writeStorage } from "../tensor/access.ts";
import { randomState } from "../tensor/random.ts";
import type { Shape } from "../tensor/shape.ts";
import { type Scope, Storage } from "../tensor/storage.ts";
import { Tensor } from "../tensor/tensor.ts";
import { type Backend, backend } from "./backend.ts";
import type { AnyOp } from "./op.ts";

/** One op as it was applied. The tape is a list of these, in order. */
export interface Node {
  op: AnyOp;
  attributes: unknown;
  shapes: Record<string, Shape>;
  inputs: Record<string, Storage | undefined>;
  outputs: Record<string, Storage>;
  saved: Record<string, Storage>;
}

/** The life of what a step computes: its memory and its tape. */
export class StepScope implements Scope {
  alive = true;
  readonly tape: Node[] = [];
  readonly #backend: Backend = backend();
  readonly #mark = this.#backend.mark();

  end(): void {
    this.alive = false;
    this.tape.length = 0;
    this.#backend.rewind(this.#mark as never);
  }

  /** The storage's gradient, zero if it has none yet: on the heap for a parameter, else for this step. */
  #gradOf(storage: Storage): Storage {
    const { dtype, length, persistent } = storage;
    const there = storage.grad;
    if (there && (there.persistent || there.scope?.alive)) return there;
    if (persistent) storage.grad = new Storage(dtype, length, { persistent });
    else {
      storage.grad = this.#backend.allocate(dtype, length, this);
      this.#backend.fill(storage.grad, 0, this);
    }
    return storage.grad;
  }

  backward(from: Storage): void {
    this.backwardFrom([{ storage: from, grad: [1] }]);
  }

  /** Backward from several tensors at once, each with the gradient of the objective with respect to it. */
  backwardFrom(seeds: readonly { storage: Storage; grad: ArrayLike<number> }[]): void {
    for (const { storage, grad } of seeds) writeStorage(this.#gradOf(storage), grad);
    for (let i = this.tape.length - 1; i >= 0; i--) this.#backwardNode(this.tape[i]!);
    randomState.step++;
  }

  #backwardNode(node: Node): void {
    const outputs = Object.values(node.outputs);
    if (outputs.every((output) => output.grad === undefined)) return;
    const b = this.#backend;
    const buffers = (storages: Record<string, Storage | undefined>) =>
      mapValues(storages, (s) => (s ? b.buffer(s, this) : b.absent));
    const gradInputs = mapValues(node.inputs, (input) =>
      input?.requiresGrad ? this.#gradOf(input) : undefined,
    );
    b.backward(
      node.op,
      {
        shapes: node.shapes,
        inputs: buffers(node.inputs),
        outputs: buffers(node.outputs),
        saved: buffers(node.saved),
        gradOutputs: buffers(mapValues(node.outputs, (output) => output.grad)),
        gradInputs: buffers(gradInputs),
      },
      node.attributes,
    );
    // Passed on: a second backward() must not pass it on again.
    for (const output of outputs) output.grad = undefined;
  }
}

export function mapValues<K extends string, V, W>(record: Record<K, V>, f: (value: V) => W): Record<K, W> {
  const out = {} as Record<K, W>;
  for (const key in record) out[key] = f(record[key]);
  return out;
}

let current: StepScope | undefined;
let recording = true;

export function currentScope(): StepScope | undefined {
  return current;
}

export function isRecording(): boolean {
  return recording && current !== undefined;
}

/** Every tensor in a result: itself, or in arrays and plain records of them, however deep. */
function eachTensor(value: unknown, visit: (t: Tensor) => void): void {
  if (value instanceof Tensor) visit(value);
  else if (Array.isArray(value)) for (const item of value) eachTensor(item, visit);
  else if (value && typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype) {
    for (const item of Object.values(value)) eachTensor(item, visit);
  }
}

/**
 * Runs one step of a computation. All that it computes is gone when it returns, but for the tensors it returns (alone,
 * or in arrays and records), which are kept as constants. Steps nest. `f` must be synchronous.
 */
export function step<T>(f: () => T): T {
  const outer = current;
  const scope = new StepScope();
  current = scope;
  try {
    const result = f();
    if (typeof (result as { then?: unknown } | undefined)?.then === "function") {
      throw new UsageError("step: the function must be synchronous, got one that returns a promise", {
        hint: "await before or after the step, e.g. `await loss.value()` on what it returns",
      });
    }
    eachTensor(result, ({ storage }) => {
      // A tensor of a step around this one is still that one's.
      if (storage.derived && storage.scope !== scope) return;
      keepStorage(storage, scope);
      if (!storage.persistent) {
        storage.requiresGrad &&= !storage.derived;
        storage.grad = undefined;
      }
    });
    return result;
  } finally {
    current = outer;
    scope.end();
  }
}

/** Runs f without recording: nothing in it can be differentiated, and it needs less memory. */
export function noGrad<T>(f: () => T): T {
  const before = recording;
  recording = false;
  try {
    return f();
  } finally {
    recording = before;
  }
}
