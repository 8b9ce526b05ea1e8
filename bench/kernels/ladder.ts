/** What the ladders share: assembling a version, room for its operands, turns and medians. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { assemble, numbers } from "../../scripts/assemble.ts";
import { control } from "../../src/engine/control.ts";
import { canRevectorize, compile } from "../../src/engine/v8-flags.ts";

/** A version of a kernel: a module of its own, in a memory of its own. */
export interface Version<Exports> {
  name: string;
  exports: Exports;
  memory: WebAssembly.Memory;
}

/** The versions in a folder that begin with a number, in order, and those named besides. */
export async function versions<Exports>(folder: string, ...others: string[]): Promise<Version<Exports>[]> {
  const files = readdirSync(join(import.meta.dirname, folder))
    .filter((name) => /^\d/.test(name))
    .sort();
  const made: Version<Exports>[] = [];
  for (const name of [...files, ...others]) {
    const wasm = await assemble(`bench/kernels/${folder}/${name}`, true);
    const memory = new WebAssembly.Memory({ initial: 4096, maximum: 65536, shared: true });
    new Float32Array(memory.buffer).set(numbers, control.constants / 4);
    new Int32Array(memory.buffer)[control.wideTiles / 4] = canRevectorize() ? 1 : 0;
    const { exports } = new WebAssembly.Instance(compile(wasm, true), { env: { memory } });
    made.push({ name: name.replace(/\.ts$/, ""), exports: exports as Exports, memory });
  }
  return made;
}

/** Deals out addresses behind one another, each on a cache line of its own. */
export class Room {
  #top = control.end;

  floats(length: number): number {
    const at = this.#top;
    this.#top += Math.ceil(length / 16) * 64;
    return at;
  }
}

/** Deterministic values in [−½, ½). */
export function values(length: number, salt = 0): Float32Array {
  return Float32Array.from({ length }, (_, i) => ((((i + salt) * 7919) % 2003) + 0.5) / 2003 - 0.5);
}

/** Throws unless what a version computed agrees with the reference to 1e-5 of its largest magnitude. */
export function expectClose(what: string, got: ArrayLike<number>, expected: ArrayLike<number>): void {
  let largest = 0;
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    largest = Math.max(largest, Math.abs(expected[i]!));
    worst = Math.max(worst, Math.abs(got[i]! - expected[i]!));
  }
  if (!(worst <= 1e-5 * largest)) throw new Error(`${what} is wrong: off by ${worst} of ${largest}`);
}

/**
 * Runs them in turns for `seconds` each and gives milliseconds: the lower quartile, for whatever else runs on the
 * machine can only add to a time.
 */
export function times(runs: readonly (() => void)[], seconds: number): number[] {
  const taken = runs.map((): number[] => []);
  const spent = runs.map(() => 0);
  while (spent.some((s) => s < seconds * 1000)) {
    for (const [i, run] of runs.entries()) {
      if (spent[i]! >= seconds * 1000) continue;
      const started = performance.now();
      run();
      const milliseconds = performance.now() - started;
      taken[i]!.push(milliseconds);
      spent[i]! += milliseconds;
    }
  }
  return taken.map((list) => list.sort((a, b) => a - b)[list.length >> 2]!);
}
