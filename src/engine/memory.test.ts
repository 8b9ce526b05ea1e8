import { describe, expect, it } from "vitest";
import { Memory } from "./memory.ts";

describe("heap", () => {
  it("deals out zeroed blocks on cache lines and reuses what was freed", () => {
    const memory = new Memory();
    const a = memory.allocate(100);
    const b = memory.allocate(100);
    expect(a % 64).toBe(0);
    expect(b - a).toBe(128);
    memory.f32(a, 25).fill(7);
    memory.free(a, 100);
    expect(memory.allocate(128)).toBe(a);
    expect([...memory.f32(a, 25)]).toEqual(new Array(25).fill(0));
  });
});

describe("arena", () => {
  it("rewinds to a mark and hands the same bytes out again", () => {
    const memory = new Memory();
    const mark = memory.mark();
    const a = memory.scratch(1000);
    memory.scratch(50_000_000);
    memory.rewind(mark);
    expect(memory.scratch(8)).toBe(a);
  });

  it("goes on in another segment when the heap has taken the ground behind it", () => {
    const memory = new Memory();
    const mark = memory.mark();
    memory.scratch(8 << 20);
    const weights = memory.allocate(4 << 20);
    const far = memory.scratch(8 << 20);
    expect(far).toBeGreaterThan(weights);
    memory.f32(far, 2 << 20).fill(1);
    expect(memory.f32(weights, 1 << 20).every((x) => x === 0)).toBe(true);
    const size = memory.size;
    for (let i = 0; i < 100; i++) {
      memory.rewind(mark);
      memory.scratch(8 << 20);
      memory.scratch(8 << 20);
    }
    expect(memory.size).toBe(size);
  });

  it("reads and writes in its upper half", () => {
    const memory = new Memory();
    if (memory.maximum < 2 ** 32) throw new Error("this host gives no shared memory of 4 GiB to test with");
    memory.scratch(2 ** 31);
    const block = memory.allocate(64);
    expect(block).toBeGreaterThanOrEqual(2 ** 31);
    memory.f32(block, 16).fill(7);
    expect([...new Float32Array(memory.wasm.buffer, block, 16)]).toEqual(new Array(16).fill(7));
    expect(memory.i32(block, 16).byteOffset).toBe(block);
    memory.free(block, 64);
    expect(memory.allocate(64)).toBe(block);
    expect([...new Float32Array(memory.wasm.buffer, block, 16)]).toEqual(new Array(16).fill(0));
  });

  it("refuses a size that is none", () => {
    expect(() => new Memory().scratch(Number.NaN)).toThrow("a block must have 0 bytes or more, got NaN");
    expect(() => new Memory().allocate(-4)).toThrow("a block must have 0 bytes or more, got -4");
  });

  it("says how much was asked for and how much there is when memory runs out", () => {
    const memory = new Memory();
    const message = () => {
      try {
        memory.scratch(5 * 2 ** 30);
      } catch (error) {
        return String(error).replace(/\d+ of \d+ MiB|\d+ MiB of \d+ MiB/, "X of Y");
      }
      return "";
    };
    expect(message()).toMatchInlineSnapshot(`
      "EngineError: engine: out of memory: the step needs 5120 MiB more, X of Y are in use
      hint: use a smaller batch, a shorter sequence length or a smaller model"
    `);
    const before = memory.size;
    message();
    expect(memory.size).toBe(before);
    expect(memory.scratch(64)).toBeGreaterThan(0);
  });
});
