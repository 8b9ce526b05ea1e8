import { memoryKernels } from "#kernels";
import { getEngine, use } from "../engine/engine.ts";
import { addressOf } from "../tensor/access.ts";
import type { DType } from "../tensor/dtype.ts";
import { type Scope, Storage } from "../tensor/storage.ts";
import type { AnyOp, BackwardContext, ForwardContext, Int8Inputs } from "./op.ts";

const run = use(memoryKernels);

/** Where ops run. `B` is its kind of buffer. */
export interface Backend<B = unknown> {
  readonly name: string;
  /** Stands for a buffer that is not there. */
  readonly absent: B;
  /** The storage's values as this backend's buffer, moved there if need be. */
  buffer(storage: Storage, scope: Scope): B;
  /** New memory of the running scope, its content undefined. */
  allocate(dtype: DType, length: number, scope: Scope): Storage;
  fill(storage: Storage, value: number, scope: Scope): void;
  forward(
    op: AnyOp,
    context: ForwardContext<string, string, string, B> & Int8Inputs<string>,
    attributes: unknown,
  ): void;
  backward(op: AnyOp, context: BackwardContext<string, string, string, B>, attributes: unknown): void;
  /** Where the scope's memory begins, and going back there. */
  mark(): unknown;
  rewind(mark: never): void;
}

/** The WebAssembly kernels. A buffer is an address; 0 is absent. */
const wasm: Backend<number> = {
  name: "wasm",
  absent: 0,
  buffer: addressOf,
  allocate(dtype, length, scope) {
    const storage = new Storage(dtype, length);
    storage.address = getEngine().memory.scratch(length * 4);
    storage.scope = scope;
    return storage;
  },
  fill(storage, value, scope) {
    run("fill", { out: addressOf(storage, scope), value }, storage.length);
  },
  forward(op, context, attributes) {
    withWorkspace(() => op.forward(context, attributes));
  },
  backward(op, context, attributes) {
    withWorkspace(() => op.backward!(context, attributes));
  },
  mark: () => getEngine().memory.mark(),
  rewind: (mark) => getEngine().memory.rewind(mark),
};

/** Memory that f takes with `workspace`, as an op does while it runs, goes back when it returns. */
export function withWorkspace(f: () => void): void {
  const { memory } = getEngine();
  const mark = memory.mark();
  f();
  memory.rewind(mark);
}

/** Room for `floats` float32 until the running op returns; content undefined. */
export function workspace(floats: number): number {
  return getEngine().memory.scratch(floats * 4);
}

let current: Backend = wasm as Backend;

export function backend(): Backend {
  return current;
}

/** @internal Runs f on another backend. */
export function withBackend<T>(next: Backend, f: () => T): T {
  const before = current;
  current = next;
  try {
    return f();
  } finally {
    current = before;
  }
}
