import { EngineError } from "../errors.ts";
import { control } from "./control.ts";
import { nodeModule } from "./features.ts";
import { kernelCount } from "./generated/abi.ts";
import type { Memory } from "./memory.ts";

/**
 * The other threads. Each lives inside `serve` of assembly/core.ts, asleep on an atomic, and comes back to JavaScript
 * only to load the next kernel module from shared memory. Workers join when they are ready; until then, and where they
 * never come, the caller does all the chunks itself. Same bits either way.
 *
 * What runs in a worker is a string: bundlers and tsc leave strings alone.
 */
const source = `
const run = ({ memory, kernelCount, control }) => {
  const words = () => new Int32Array(memory.buffer);
  const table = new WebAssembly.Table({ initial: kernelCount, element: "anyfunc" });
  let core, loaded = 0;
  const loadNext = () => {
    const at = (control.moduleList >> 2) + 4 * loaded;
    const [first, signed, length, names] = words().subarray(at, at + 4);
    const address = signed >>> 0;
    const bytes = new Uint8Array(memory.buffer, address, length).slice();
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory, table } });
    if (first < 0) core = exports;
    else {
      const named = String.fromCharCode(...new Uint8Array(memory.buffer, address + length, names));
      named.split(",").forEach((name, i) => table.set(first + i, exports[name]));
    }
    loaded++;
  };
  try {
    for (;;) {
      while (loaded < Atomics.load(words(), control.modules >> 2)) loadNext();
      core.serve(loaded);
    }
  } catch (error) {
    Atomics.store(words(), control.trapped >> 2, 1);
    throw error;
  }
};`;

/**
 * Workers are only ever added: one that is told to go might be holding a chunk that everyone waits for. Idle ones sleep,
 * and a job cut into two chunks is done by two threads however many there are.
 */
export class Pool {
  readonly #workers: object[] = [];
  readonly #data: unknown;

  constructor(memory: Memory) {
    this.#data = {
      memory: memory.wasm,
      kernelCount,
      control,
    };
  }

  grow(count: number): void {
    while (this.#workers.length < count) this.#workers.push(startWorker(this.#data));
  }
}

/** The worker, to be held on to: a page collects those that nothing refers to. */
function startWorker(data: unknown): object {
  const threads = nodeModule<typeof import("node:worker_threads")>("node:worker_threads");
  if (threads) {
    const code = `${source} run(require("node:worker_threads").workerData);`;
    const worker = new threads.Worker(code, { eval: true, workerData: data });
    worker.on("error", () => {}); // reported through the `trapped` word, where the caller is waiting
    worker.unref();
    return worker;
  }
  const url = URL.createObjectURL(
    new Blob([`${source} onmessage = (event) => run(event.data);`], { type: "text/javascript" }),
  );
  const worker = new globalThis.Worker(url);
  worker.postMessage(data);
  return worker;
}

export function kernelError(kernel: string, where: string, cause?: unknown): EngineError {
  return new EngineError(`engine: kernel ${kernel} failed ${where}`, {
    hint: "this is a bug in unrolled; please report it with what `unrolled doctor` prints",
    cause,
  });
}
