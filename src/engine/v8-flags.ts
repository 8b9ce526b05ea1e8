import { environment, nodeModule, nodeV8Major } from "./features.ts";

/**
 * V8's revectoriser fuses pairs of 128-bit operations into 256-bit ones: 1.5 to 2 times the GFLOP/s. It is off by
 * default, so it is switched on while one of our modules compiles and off again before anyone else's does. It works in
 * the optimising compiler alone, hence no baseline code, and nothing left for later. V8 14 dies when it inlines where
 * there is no baseline code to go back to, hence no inlining. Only on V8 majors where the parity suite has run (13 is
 * Node 24, 14 is Node 26); UNROLLED_REVECTORIZE=0 turns it off.
 *
 * Flags are read by V8's compiler threads, which may be at work on someone else's code at that moment: a flag must be one
 * that may change in the middle of a compilation. `no-wasm-deopt` is not. `no-wasm-inlining` is, once
 * `no-wasm-inlining-call-indirect` is set: so they go on in this order, and off in the opposite one.
 */
const optimised = ["no-liftoff", "no-wasm-lazy-compilation", "experimental-wasm-revectorize"];
const flags: Record<number, readonly string[]> = {
  13: optimised,
  14: ["no-wasm-inlining-call-indirect", "no-wasm-inlining", ...optimised],
};

const negated = (flag: string) => (flag.startsWith("no-") ? flag.slice(3) : `no-${flag}`);

function revectorizing(): readonly string[] | undefined {
  return environment("UNROLLED_REVECTORIZE") === "0" ? undefined : flags[nodeV8Major() ?? 0];
}

export function canRevectorize(): boolean {
  return revectorizing() !== undefined;
}

/** Compiles a module, with the revectoriser on if asked and where there is one. */
export function compile(bytes: Uint8Array<ArrayBuffer>, revectorize: boolean): WebAssembly.Module {
  const on = revectorize ? revectorizing() : undefined;
  const v8 = on && nodeModule<typeof import("node:v8")>("node:v8");
  if (!v8) return new WebAssembly.Module(bytes);
  for (const flag of on) v8.setFlagsFromString(`--${flag}`);
  try {
    return new WebAssembly.Module(bytes);
  } finally {
    for (const flag of [...on].reverse()) v8.setFlagsFromString(`--${negated(flag)}`);
  }
}
