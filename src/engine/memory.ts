import { EngineError } from "../errors.ts";
import { control } from "./control.ts";

/**
 * One shared WebAssembly memory, dealt out in two ways. The heap keeps parameters and optimizer state. The arena holds
 * what a step computes and is rewound when the step ends. Both take segments from the same growing end.
 */
const PAGE = 65536;
const ALIGN = 64; // a cache line
const HEAP_SEGMENT = 1 << 20;
const ARENA_SEGMENT = 8 << 20;

/** The bytes a block takes. A size that is no number would be searched room for without end. */
function align(bytes: number): number {
  if (!(bytes >= 0)) throw new EngineError(`engine: a block must have 0 bytes or more, got ${bytes}`);
  return Math.ceil(Math.max(bytes, 1) / ALIGN) * ALIGN;
}

const mib = (bytes: number) => `${Math.ceil(bytes / 2 ** 20)} MiB`;

/** The largest shared memory to be had: 4 GiB, or what a 32-bit or frugal host allows. */
function createMemory(): { memory: WebAssembly.Memory; maximum: number } {
  let cause: unknown;
  for (let pages = 65536; pages >= 4096; pages /= 2) {
    try {
      const memory = new WebAssembly.Memory({ initial: 2, maximum: pages, shared: true });
      return { memory, maximum: pages * PAGE };
    } catch (error) {
      cause = error;
    }
  }
  throw new EngineError("engine: no shared WebAssembly memory of 256 MiB or more is to be had", { cause });
}

interface Segment {
  start: number;
  end: number;
}

/** A part of the heap. */
export interface Block {
  address: number;
  bytes: number;
}

export interface Mark {
  segment: number;
  top: number;
}

export class Memory {
  readonly wasm: WebAssembly.Memory;
  readonly maximum: number;
  /** Everything below belongs to the heap, the arena or the control words. */
  #frontier: number = control.end;
  #heap: Segment = { start: 0, end: 0 };
  #free = new Map<number, number[]>();
  #arena: Segment[] = [{ start: 0, end: 0 }];
  #current = 0;
  #top = 0;
  #lasting: Block[] | undefined;
  #f32: Float32Array;
  #i32: Int32Array;

  constructor() {
    const { memory, maximum } = createMemory();
    this.wasm = memory;
    this.maximum = maximum;
    this.#f32 = new Float32Array(memory.buffer);
    this.#i32 = new Int32Array(memory.buffer);
  }

  /** `length` float32 at `address`: a view of shared memory, never to be handed to a user. */
  f32(address: number, length: number): Float32Array {
    return this.#f32.subarray(address >>> 2, (address >>> 2) + length);
  }

  i32(address: number, length: number): Int32Array {
    return this.#i32.subarray(address >>> 2, (address >>> 2) + length);
  }

  /** Bytes taken from the host so far. */
  get size(): number {
    return this.#frontier;
  }

  #reserve(bytes: number, what: string): number {
    const start = this.#frontier;
    const end = start + bytes;
    const have = this.wasm.buffer.byteLength;
    if (end > have) {
      try {
        if (end > this.maximum) throw new RangeError("past the maximum");
        this.wasm.grow(Math.ceil((end - have) / PAGE));
      } catch (cause) {
        throw new EngineError(
          `engine: out of memory: ${what} needs ${mib(bytes)} more, ${mib(start)} of ${mib(this.maximum)} are in use`,
          { hint: "use a smaller batch, a shorter sequence length or a smaller model", cause },
        );
      }
      this.#f32 = new Float32Array(this.wasm.buffer);
      this.#i32 = new Int32Array(this.wasm.buffer);
    }
    this.#frontier = end;
    return start;
  }

  /** A block of the heap, zeroed. */
  allocate(bytes: number): number {
    const size = align(bytes);
    const reused = this.#free.get(size)?.pop();
    if (reused !== undefined) {
      this.#i32.fill(0, reused >>> 2, (reused + size) / 4);
      return reused;
    }
    if (this.#heap.end - this.#heap.start < size) {
      const segment = Math.max(size, HEAP_SEGMENT);
      const start = this.#reserve(segment, "the heap");
      this.#heap = { start, end: start + segment };
    }
    const address = this.#heap.start;
    this.#heap.start += size;
    return address;
  }

  free(address: number, bytes: number): void {
    const size = align(bytes);
    const list = this.#free.get(size);
    if (list) list.push(address);
    else this.#free.set(size, [address]);
  }

  /** Runs f with blocks of the heap in place of the arena's: what it computes with stays. Gives the blocks. */
  withLastingScratch(f: () => void): readonly Block[] {
    const before = this.#lasting;
    const blocks: Block[] = [];
    this.#lasting = blocks;
    try {
      f();
    } finally {
      this.#lasting = before;
    }
    return blocks;
  }

  /** A block of the arena; its bytes are whatever the last step left there. */
  scratch(bytes: number): number {
    const size = align(bytes);
    if (this.#lasting) {
      const address = this.allocate(size);
      this.#lasting.push({ address, bytes: size });
      return address;
    }
    for (;;) {
      const segment = this.#arena[this.#current]!;
      if (this.#top + size <= segment.end) {
        const address = this.#top;
        this.#top += size;
        return address;
      }
      const next = this.#arena[this.#current + 1];
      if (next) {
        this.#current++;
        this.#top = next.start;
        continue;
      }
      const wanted = Math.max(size, ARENA_SEGMENT);
      const start = this.#reserve(wanted, "the step");
      if (start === segment.end) segment.end += wanted;
      else {
        this.#arena.push({ start, end: start + wanted });
        this.#current++;
        this.#top = start;
      }
    }
  }

  mark(): Mark {
    return { segment: this.#current, top: this.#top };
  }

  rewind(mark: Mark): void {
    this.#current = mark.segment;
    this.#top = mark.top;
  }
}
