/** The first thing a newcomer runs: about a minute of training, then its claims. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { jsonLines, unrolled } from "../quick/cli/run.ts";

const out = mkdtempSync(join(tmpdir(), "unrolled-quickstart-"));
afterAll(() => rmSync(out, { recursive: true, force: true }));

it("learns from the book what a minute can teach", async () => {
  const { code, stdout, stderr } = await unrolled("quickstart", "--json", "--out", out);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const result = jsonLines(stdout).at(-1) as Record<string, number> & { type: string; paragraph: string };
  expect(result.type).toBe("result");
  expect(result.sentences).toBe(100);
  expect(result.ranked).toBeGreaterThanOrEqual(90);
  expect(result.perplexity).toBeLessThan(5.2);
  expect(result.unigramPerplexity).toBeGreaterThan(20);
  expect(result.paragraph.split(/\s+/).length).toBeGreaterThan(40);

  const next = await unrolled(
    "generate",
    out,
    "--prompt",
    "The ship ",
    "--temperature",
    "0.7",
    "--seed",
    "1",
  );
  expect(next).toMatchObject({ code: 0, stderr: "" });
});
