/** What this JavaScript engine can do, found out once. */

/** The two builds of the kernels: `relaxed` fuses multiply and add, `plain` runs everywhere with SIMD. */
export type Build = "relaxed" | "plain";

// (func (result v128) (f32x4.relaxed_madd 0 0 0))
const relaxedProbe = new Uint8Array([
  0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7b, 3, 2, 1, 0, 0x0a, 0x13, 1, 0x11, 0, 0x41, 0,
  0xfd, 0x0f, 0x41, 0, 0xfd, 0x0f, 0x41, 0, 0xfd, 0x0f, 0xfd, 0x85, 2, 0x0b,
]);

export function hasRelaxedSimd(): boolean {
  return WebAssembly.validate(relaxedProbe);
}

/** The Node built-in of this name; undefined in a page. */
export function nodeModule<T>(name: string): T | undefined {
  const host = (globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } }).process;
  return host?.getBuiltinModule?.(name) as T | undefined;
}

/** Workers can share memory with us: always in Node; in a page only under COOP/COEP. */
export function hasThreads(): boolean {
  if (typeof SharedArrayBuffer === "undefined") return false;
  if (nodeModule("node:worker_threads")) return true;
  return (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated === true;
}

/** Whether this thread may sleep until others wake it, on a word of shared memory: a page's own must not. */
export function maySleep(words: Int32Array): boolean {
  try {
    return Atomics.wait(words, 0, words[0]! + 1, 0) === "not-equal";
  } catch {
    return false;
  }
}

/** Processors this process may use. */
export function availableThreads(): number {
  const os = nodeModule<typeof import("node:os")>("node:os");
  return os?.availableParallelism?.() ?? globalThis.navigator?.hardwareConcurrency ?? 1;
}

/** The major version of V8 if this is Node (Bun and Deno name theirs too, and take no flags). */
export function nodeV8Major(): number | undefined {
  const host = (globalThis as { process?: { versions?: Record<string, string | undefined> } }).process;
  const versions = host?.versions;
  if (!versions?.node || versions.bun || versions.deno || !versions.v8) return undefined;
  return Number.parseInt(versions.v8, 10);
}

export function environment(name: string): string | undefined {
  return (globalThis as { process?: { env?: Record<string, string | undefined> } }).process?.env?.[name];
}
