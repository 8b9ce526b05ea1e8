import { expect, it } from "vitest";
import { families } from "../../../src/engine/generated/abi.ts";
import { jsonLines, spawnUnrolled, unrolled } from "./run.ts";

it("doctor checks every family of kernels and measures", async () => {
  const { code, stdout, stderr } = await unrolled("doctor", "--json");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const [report] = jsonLines(stdout);
  expect(report).toMatchObject({ ok: true, node: process.versions.node, v8: process.versions.v8 });
  expect((report!.kernels as { family: string }[]).map(({ family }) => family)).toEqual(families);
  expect(report!.tile).toEqual(report!.revectorizer ? [6, 16] : [6, 8]);
  const speeds = Object.values(report!.gflops as Record<string, number>);
  expect(speeds.length).toBeGreaterThan(0);
  expect(speeds.every((speed) => speed > 0.1)).toBe(true);
});

it("doctor says what makes it slow, and what to do", async () => {
  process.env.UNROLLED_SIMD = "plain";
  process.env.UNROLLED_REVECTORIZE = "0";
  process.env.UNROLLED_THREADS = "1";
  try {
    const { code, stdout } = await spawnUnrolled(["doctor"]);
    expect(code).toBe(0);
    expect(stdout).toContain(
      "! multiplication and addition are not fused (plain SIMD)\n  hint: unset UNROLLED_SIMD\n" +
        "! vectors are 128 bits wide\n  hint: unset UNROLLED_REVECTORIZE\n",
    );
    expect(stdout).toContain("plain SIMD, 128-bit vectors (revectoriser off)");
    expect(stdout).toContain("tile       6×8 of");
  } finally {
    delete process.env.UNROLLED_SIMD;
    delete process.env.UNROLLED_REVECTORIZE;
    delete process.env.UNROLLED_THREADS;
  }
});
