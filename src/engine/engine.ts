import { kernelBytes, loadKernels } from "#kernel-bytes";
import { coreKernels } from "#kernels";
import { EngineError, OptionError, UsageError } from "../errors.ts";
import { control } from "./control.ts";
import {
  availableThreads,
  type Build,
  environment,
  hasRelaxedSimd,
  hasThreads,
  maySleep,
} from "./features.ts";
import {
  constants,
  type Family,
  type KernelArgs,
  type KernelName,
  type KernelsOf,
  kernelCount,
} from "./generated/abi.ts";
import type { KernelSource } from "./kernel-source.ts";
import { type Block, Memory } from "./memory.ts";
import { kernelError, Pool } from "./pool.ts";
import { selfChecks } from "./self-check.ts";
import { canRevectorize, compile } from "./v8-flags.ts";

type Kernel = (args: number, from: number, to: number) => void;

/** A call of a kernel, as `run` takes it. */
export type KernelCall = {
  [K in KernelName]: { name: K; args: KernelArgs[K]; count: number; chunk: number };
}[KernelName];

interface Core {
  dispatch(slot: number, args: number, count: number, chunk: number): number;
  wait(chunks: number): number;
}

/** Below this many float operations a job is not worth waking anyone for. */
const WORTH_SPLITTING = 200_000;

/** How long a job may take before its worker counts as lost. */
const PATIENCE_MS = 600_000;

/**
 * The kernels' home: one memory, the modules compiled so far, the threads. There is one per process or page; it starts
 * when the first tensor is computed.
 */
class Engine {
  readonly memory = new Memory();
  readonly table = new WebAssembly.Table({ initial: kernelCount, element: "anyfunc" });
  readonly build: Build;
  /** Families whose relaxed build failed its self-check on this machine and runs plain instead. */
  readonly demoted = new Set<Family>();
  #functions = new Map<KernelName, Kernel>();
  #compiled = new Set<Family>();
  #core: Core | undefined;
  #pool: Pool | undefined;
  /** A kernel failed while threads shared it, and some may still be at it: from then on this thread works alone. */
  #alone = false;
  #calls: KernelCall[] | undefined;
  #words: Int32Array;
  #floats: Float32Array;

  constructor(build: Build) {
    this.build = build;
    this.#words = this.memory.i32(control.args, 512);
    this.#floats = this.memory.f32(control.args, 512);
    this.memory.f32(control.constants, constants.length).set(constants);
    this.memory.i32(control.wideTiles, 1)[0] = canRevectorize() ? 1 : 0;
    this.memory.i32(control.maySleep, 1)[0] = maySleep(this.#words) ? 1 : 0;
    this.#load("core");
  }

  /** Compiles a family, checks it against stored vectors, and announces it to the workers. */
  #load(family: Family): void {
    if (this.#compiled.has(family)) return;
    this.calls(() => this.#compileAndCheck(family));
  }

  #compileAndCheck(family: Family): void {
    if (this.accepts(family)) return;
    if (this.build === "plain" || !this.#instantiate(family, "plain", false)) {
      throw new EngineError(`engine: the ${family} kernels give wrong results on this machine`, {
        hint: "run `unrolled doctor` and report what it prints",
      });
    }
    this.#compiled.add(family);
  }

  /** Whether this machine's own build of a family passes its check, which is made when it is first asked for. */
  accepts(family: Family): boolean {
    if (this.#compiled.has(family) || this.demoted.has(family)) return !this.demoted.has(family);
    if (this.#instantiate(family, this.build, true)) this.#compiled.add(family);
    else this.demoted.add(family);
    return !this.demoted.has(family);
  }

  /** False if the family fails its check; then nothing of it stays. */
  #instantiate(family: Family, build: Build, revectorize: boolean): boolean {
    const source = sources.get(family);
    const bytes = source && kernelBytes(source, build);
    if (!bytes) {
      throw new UsageError("engine: the kernels are not loaded yet", {
        hint: "in a page, `await ready()` before the first computation",
      });
    }
    const imports = { env: { memory: this.memory.wasm, table: this.table } };
    const { exports } = new WebAssembly.Instance(compile(bytes, revectorize), imports);
    if (family === "core") this.#core = exports as unknown as Core;
    const own = Object.keys(source.kernels) as KernelName[];
    for (const name of own) {
      const exported = exports[name] as Kernel;
      this.table.set(layouts.get(name)!.slot, exported);
      this.#functions.set(name, exported);
    }
    if (!(selfChecks[family]?.(this) ?? true)) {
      for (const name of own) this.#functions.delete(name);
      return false;
    }
    this.#announce(source, bytes);
    return true;
  }

  /** Leaves the module's bytes, and behind them its kernels' names, where the workers look for them. */
  #announce({ first, kernels }: KernelSource, bytes: Uint8Array): void {
    const names = new TextEncoder().encode(Object.keys(kernels).join());
    const address = this.memory.allocate(bytes.length + names.length);
    const place = new Uint8Array(this.memory.wasm.buffer, address, bytes.length + names.length);
    place.set(bytes);
    place.set(names, bytes.length);
    const count = this.memory.i32(control.modules, 1);
    const entry = this.memory.i32(control.moduleList + 16 * count[0]!, 4);
    entry.set([first, address, bytes.length, names.length]);
    Atomics.add(count, 0, 1);
  }

  #write<K extends KernelName>(
    name: K,
    args: KernelArgs[K],
    words = this.#words,
    floats = this.#floats,
  ): void {
    let at = 0;
    for (const [field, type] of layouts.get(name)!.fields) {
      const value = (args as Record<string, number>)[field!]!;
      if (type === "f32") floats[at++] = value;
      else words[at++] = value;
    }
  }

  run<K extends KernelName>(name: K, args: KernelArgs[K], count: number, chunk: number): void {
    if (count <= 0) return;
    const kernel = this.#functions.get(name);
    if (!kernel) {
      this.#load(layouts.get(name)!.family);
      this.run(name, args, count, chunk);
      return;
    }
    this.#calls?.push({ name, args, count, chunk } as KernelCall);
    this.#write(name, args);
    this.#invoke(kernel, name, control.args, count, chunk);
  }

  /** Calls that were made once, with arguments in a block of their own, to be made again at no cost but their own. */
  prepare(calls: readonly KernelCall[]): { again: readonly (() => void)[]; block: Block } {
    const lengths = calls.map(({ name }) => layouts.get(name)!.fields.length);
    const bytes = 4 * lengths.reduce((a, b) => a + b, 0);
    const block = { address: this.memory.allocate(bytes), bytes };
    let at = block.address;
    const again = calls.map(({ name, args, count, chunk }, i) => {
      const [kernel, address, length] = [this.#functions.get(name)!, at, lengths[i]!];
      this.#write(name, args, this.memory.i32(address, length), this.memory.f32(address, length));
      at += 4 * length;
      return () => this.#invoke(kernel, name, address, count, chunk);
    });
    return { again, block };
  }

  #invoke(kernel: Kernel, name: KernelName, args: number, count: number, chunk: number): void {
    try {
      if (count <= chunk || this.#alone || threads() === 1) kernel(args, 0, count);
      else this.#share(name, args, count, chunk);
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError)) throw error;
      this.#alone = true;
      throw kernelError(name, "on the calling thread", error);
    }
  }

  #share(name: KernelName, args: number, count: number, chunk: number): void {
    this.#pool ??= new Pool(this.memory);
    this.#pool.grow(threads() - 1);
    const core = this.#core!;
    const started = performance.now();
    let status = core.dispatch(layouts.get(name)!.slot, args, count, chunk);
    while (status === 2 && performance.now() - started < PATIENCE_MS)
      status = core.wait(Math.ceil(count / chunk));
    if (status === 0) return;
    this.#alone = true;
    throw kernelError(
      name,
      status === 1 ? "in a worker thread" : `to finish in ${PATIENCE_MS / 60_000} minutes`,
    );
  }

  /** Runs f and gives the kernel calls it made. */
  calls(f: () => void): readonly KernelCall[] {
    const before = this.#calls;
    const calls: KernelCall[] = [];
    this.#calls = calls;
    try {
      f();
    } finally {
      this.#calls = before;
    }
    return calls;
  }

  /** Compiles and checks every family in use, where work would do it one by one as it needs them. */
  loadAll(): void {
    for (const family of sources.keys()) this.#load(family);
  }

  get compiled(): readonly Family[] {
    return [...this.#compiled];
  }
}

export type { Engine };

let engine: Engine | undefined;
let threadCount: number | undefined;

function chosenBuild(): Build {
  const wanted = environment("UNROLLED_SIMD");
  if (wanted !== undefined && wanted !== "plain" && wanted !== "relaxed") {
    throw new OptionError(`engine: UNROLLED_SIMD must be plain or relaxed, got ${wanted}`);
  }
  return wanted ?? (hasRelaxedSimd() ? "relaxed" : "plain");
}

/** The engine, started on first use. */
export function getEngine(): Engine {
  engine ??= new Engine(chosenBuild());
  return engine;
}

/** The families that what is imported runs kernels of. */
const sources = new Map<Family, KernelSource>();

/** Of each of their kernels: its family, its place in the function table, and its arguments, [name, type] each. */
const layouts = new Map<KernelName, { family: Family; slot: number; fields: readonly string[][] }>();

/** Runs a kernel over [0, count), in chunks of `chunk` units spread over the threads. */
type Run<Name extends KernelName> = <K extends Name>(
  name: K,
  args: KernelArgs[K],
  count?: number,
  chunk?: number,
) => void;

const run: Run<KernelName> = (name, args, count = 1, chunk = count) =>
  getEngine().run(name, args, count, chunk);

/** Gives `run` for the kernels of these families. They, and no others, come into the bundle and are downloaded. */
export function use<F extends Family>(...used: readonly KernelSource<F>[]): Run<KernelsOf<F>> {
  for (const source of used) {
    const { family, first, kernels } = source;
    sources.set(family, source);
    for (const [i, [name, layout]] of Object.entries(kernels).entries()) {
      const fields = layout.split(" ").map((field) => field.split(":"));
      layouts.set(name as KernelName, { family, slot: first + i, fields });
    }
  }
  return run;
}

use(coreKernels);

/** Loads the kernels. Needed once in a page before the first computation; elsewhere there is nothing to wait for. */
export async function ready(): Promise<void> {
  const load = loadKernels;
  if (!load) return;
  const build = chosenBuild();
  await Promise.all(Array.from(sources.values(), (source) => load(source, build)));
  for (const source of sources.values()) {
    if (!getEngine().accepts(source.family)) await load(source, "plain");
  }
}

/** How many threads compute, this one included. */
export function threads(): number {
  threadCount ??= defaultThreads();
  return threadCount;
}

function defaultThreads(): number {
  if (!hasThreads()) return 1;
  const wanted = environment("UNROLLED_THREADS");
  return wanted === undefined ? Math.min(availableThreads(), 16) : checkThreads(Number(wanted));
}

function checkThreads(count: number): number {
  if (!Number.isInteger(count) || count < 1 || count > 256) {
    throw new OptionError(`engine: threads must be a whole number from 1 to 256, got ${count}`);
  }
  return count;
}

/**
 * Sets the number of threads; results have the same bits whatever it is. Where memory cannot be shared (a page without
 * COOP/COEP) it stays 1.
 */
export function setThreads(count: number): void {
  checkThreads(count);
  if (!hasThreads()) return;
  threadCount = count;
}

/** Whether so much work (in float operations) is worth waking others for. */
export function worthSharing(work: number): boolean {
  return threads() > 1 && work >= WORTH_SPLITTING;
}

/**
 * How many of `count` units a thread should take at a time: all of them when the work (in float operations) is too
 * little to share, else an even part, rounded up to a multiple of `multiple`.
 */
export function share(count: number, work: number, multiple = 1): number {
  if (!worthSharing(work)) return count;
  return Math.ceil(count / threads() / multiple) * multiple;
}
