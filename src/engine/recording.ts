import { getEngine, type KernelCall } from "./engine.ts";
import type { Block } from "./memory.ts";

/**
 * A computation of fixed shapes, run once and then repeated as the bare kernel calls it came to, on the same memory:
 * nothing is checked, allocated or packed again. For one time step after the other, where all that would cost more than
 * the step. What it reads and writes each time must have its place in the engine for good; weights are packed once.
 */
export class Recording {
  readonly #calls: readonly KernelCall[];
  readonly #repeat: readonly (() => void)[];
  /** What of the memory named is still read or written in a repetition; kept from the garbage collector. */
  readonly memory: readonly { readonly address: number }[];

  constructor(f: () => void, memory: readonly { readonly address: number }[]) {
    const engine = getEngine();
    let calls: readonly KernelCall[] = [];
    const blocks = engine.memory.withLastingScratch(() => {
      calls = engine.calls(f);
    });
    this.#calls = calls.filter((call) => !packsConstant(call, blocks));
    this.memory = memory.filter(({ address }) => this.#uses(address));
    const { again, block } = engine.prepare(this.#calls);
    this.#repeat = again;
    dropped.register(this, [...blocks, block]);
  }

  #uses(address: number): boolean {
    return this.#calls.some(({ args }) => Object.values(args).includes(address));
  }

  repeat(): void {
    for (const call of this.#repeat) call();
  }
}

/** Whether it packs what the computation did not itself compute: a weight. */
function packsConstant(call: KernelCall, blocks: readonly Block[]): boolean {
  if (call.name !== "packPanels") return false;
  const { b } = call.args;
  return !blocks.some(({ address, bytes }) => b >= address && b < address + bytes);
}

const dropped = new FinalizationRegistry<readonly Block[]>((blocks) => {
  for (const { address, bytes } of blocks) getEngine().memory.free(address, bytes);
});
