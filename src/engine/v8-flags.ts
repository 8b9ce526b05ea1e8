import { environment, nodeModule, nodeV8Major } from "./features.ts";

/**
 * V8's revectoriser fuses pairs of 128-bit operations into 256-bit ones: 1.5 to 2 times the GFLOP/s. It is off by
 * default, so it is switched on while one of our modules compiles and off again before anyone else's does. It works in
 * the optimising compiler alone, hence the two other flags. Only on V8 majors where the parity suite has run
 * (13 is Node 24, 14 is Node 26); UNROLLED_REVECTORIZE=0 turns it off.
 */
const tested: readonly number[] = [13, 14];
const on = ["--experimental-wasm-revectorize", "--no-liftoff", "--no-wasm-lazy-compilation"];
const off = ["--no-experimental-wasm-revectorize", "--liftoff", "--wasm-lazy-compilation"];

export function canRevectorize(): boolean {
  const major = nodeV8Major();
  return major !== undefined && tested.includes(major) && environment("UNROLLED_REVECTORIZE") !== "0";
}

/** Compiles a module with the revectoriser on, where there is one. */
export function compile(bytes: Uint8Array<ArrayBuffer>): WebAssembly.Module {
  const v8 = canRevectorize() ? nodeModule<typeof import("node:v8")>("node:v8") : undefined;
  if (!v8) return new WebAssembly.Module(bytes);
  for (const flag of on) v8.setFlagsFromString(flag);
  try {
    return new WebAssembly.Module(bytes);
  } finally {
    for (const flag of off) v8.setFlagsFromString(flag);
  }
}
