import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";

/** Runs one of the loops of memory-loops.ts in a process of its own; the resident set, in MiB, along the way. */
function residentSet(loop: string): number[] {
  const script = join(import.meta.dirname, "memory-loops.ts");
  const out = execFileSync(process.execPath, ["--conditions=source", "--expose-gc", script, loop], {
    encoding: "utf8",
  });
  return JSON.parse(out) as number[];
}

/** In the second half, by when everything is compiled and V8's own heap has found its size. */
function growth(samples: readonly number[]): number {
  return samples.at(-1)! - samples[samples.length >> 1]!;
}

it("10,000 training steps leave the resident set where it was", () => {
  const samples = residentSet("steps");
  expect(growth(samples), samples.join(" ")).toBeLessThan(4);
});

it("100,000 forwards outside any step leave the resident set where it was", () => {
  const samples = residentSet("forwards");
  expect(growth(samples), samples.join(" ")).toBeLessThan(4);
});

it("a million steps of a stream allocate nothing in JavaScript's heap", () => {
  const script = join(import.meta.dirname, "stream-heap.ts");
  const flags = ["--conditions=source", "--expose-gc"];
  const bytes = Number(execFileSync(process.execPath, [...flags, script], { encoding: "utf8" }));
  expect(bytes / 250_000).toBeLessThan(1);
});

it("1,000 models made and dropped leave the resident set where it was", () => {
  const samples = residentSet("models");
  expect(growth(samples), samples.join(" ")).toBeLessThan(4);
});
