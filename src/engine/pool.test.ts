import { afterAll, describe, expect, it } from "vitest";
import { memoryKernels } from "#kernels";
import { getEngine, setThreads, threads, use } from "./engine.ts";

const run = use(memoryKernels);

const { memory } = getEngine();
const size = 100_000;
const out = memory.allocate(size * 4);
const before = threads();
afterAll(() => setThreads(before));

describe("the thread pool", () => {
  it("does every chunk exactly once, whoever comes", async () => {
    setThreads(4);
    const x = memory.allocate(size * 4);
    run("fill", { out: x, value: 1 }, size);
    run("fill", { out, value: 0 }, size);
    for (let job = 0; job < 2000; job++) {
      run("axpy", { x, out, alpha: 1 }, size, 1 + ((job * 7919) % 30_000) + 4000);
      if (job % 500 === 0) await new Promise((resolve) => setTimeout(resolve, 20)); // workers fall asleep, or join
    }
    expect(memory.f32(out, size).every((v) => v === 2000)).toBe(true);
  });

  it("turns a trap into an error, whichever thread it is on, and goes on alone", async () => {
    setThreads(2);
    // Of two chunks, the caller takes the upper first. The lower one lies below the block, wrapped round past the end
    // of the memory: whoever takes it traps, a worker that is awake or the caller.
    const half = (out >> 2) + 100;
    const trap = () => {
      try {
        run("fill", { out: out - 4 * half, value: 1 }, 2 * half, half);
      } catch (error) {
        return String(error);
      }
      return "no error";
    };
    run("axpy", { x: out, out, alpha: 0 }, size, 1000);
    await new Promise((resolve) => setTimeout(resolve, 200)); // the worker joins
    for (let i = 0; i < 100; i++) run("axpy", { x: out, out, alpha: 0 }, size, 1000); // and is awake
    expect(trap()).toMatch(
      /EngineError: engine: kernel fill failed (in a worker thread|on the calling thread)\nhint/,
    );
    run("fill", { out, value: 3 }, size, 1000);
    expect(memory.f32(out, size).every((v) => v === 3)).toBe(true);
  });
});
