import { getEngine } from "../engine/engine.ts";
import { UsageError } from "../errors.ts";
import { allocateValues, type Values } from "./dtype.ts";
import type { Scope, Storage } from "./storage.ts";

/** Moves values between JavaScript arrays and the engine's memory. Users never get a view of shared memory. */

function view(storage: Storage): Float32Array | Int32Array {
  const { memory } = getEngine();
  if (storage.dtype === "int8") {
    throw new UsageError("tensor: int8 weights can neither be read nor written", {
      hint: "keep the float32 weights that they were made of",
    });
  }
  return storage.dtype === "int32"
    ? memory.i32(storage.address, storage.length)
    : memory.f32(storage.address, storage.length);
}

/**
 * The values of a tensor that has its place in the engine for good, to be read and written there many times without
 * allocating. Shared memory grows without moving, so the view stays good; it must not be handed on.
 */
export function lastingView(storage: Storage): Float32Array | Int32Array {
  return view(storage);
}

function inEngine(storage: Storage): boolean {
  return storage.address !== 0 && (storage.scope === undefined || storage.scope.alive);
}

function expired(): UsageError {
  return new UsageError("tensor: used after its step ended", {
    hint: "return it from step() to keep it",
  });
}

/** The values on the JavaScript side. What is to stay, and nothing has been written to, is zeros without an array. */
export function onHost(storage: Storage): Values {
  if (!storage.host && storage.persistent) storage.host = allocateValues(storage.dtype, storage.length);
  if (!storage.host) throw expired();
  return storage.host;
}

/** A copy of the values. */
export function readStorage(storage: Storage): Values {
  return (inEngine(storage) ? view(storage) : onHost(storage)).slice();
}

/** Writes values that come one after the other, without an array of them. */
export function fillStorage(storage: Storage, next: () => number): void {
  const values = inEngine(storage) ? view(storage) : onHost(storage);
  for (let i = 0; i < values.length; i++) values[i] = next();
  storage.version++;
}

export function writeStorage(storage: Storage, values: ArrayLike<number>): void {
  if (inEngine(storage)) view(storage).set(values);
  else onHost(storage);
  storage.host?.set(values);
  storage.version++;
}

/** Copies what a step leaves behind to the JavaScript side, where the garbage collector looks after it. */
export function keepStorage(storage: Storage, scope: Scope): void {
  if (storage.host || storage.scope !== scope) return;
  const host = allocateValues(storage.dtype, storage.length);
  host.set(view(storage));
  storage.host = host;
}

/** Gives heap blocks back when their tensor is collected: models come and go in a long-lived process. */
const collected = new FinalizationRegistry<{ address: number; bytes: number }>(({ address, bytes }) => {
  getEngine().memory.free(address, bytes);
});

/** Takes a block of the heap for a storage, until that is collected. */
export function keepInEngine(storage: Storage, bytes: number): void {
  storage.address = getEngine().memory.allocate(bytes);
  storage.scope = undefined;
  storage.host = undefined;
  collected.register(storage, { address: storage.address, bytes });
}

/** The address of the values in the engine's memory, copying them there if need be. */
export function addressOf(storage: Storage, scope: Scope): number {
  if (inEngine(storage)) return storage.address;
  const bytes = storage.length * 4;
  if (!storage.persistent) {
    const values = onHost(storage);
    storage.address = getEngine().memory.scratch(bytes);
    storage.scope = scope;
    view(storage).set(values);
    return storage.address;
  }
  const { host } = storage;
  keepInEngine(storage, bytes);
  if (host) {
    view(storage).set(host);
    // It was the storage's own: its memory goes back now, not when the garbage collector next comes.
    (host.buffer as Partial<ArrayBuffer>).transfer?.(0);
  } else view(storage).fill(0);
  return storage.address;
}
