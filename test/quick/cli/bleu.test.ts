import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { jsonLines, spawnUnrolled, unrolled } from "./run.ts";

let root: string;
const at = (name: string) => join(root, name);
const hypotheses = "The dog bit the man.\nIt wasn't surprising.\nThe man had just bitten him.\n";

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "unrolled-bleu-"));
  writeFileSync(at("system"), hypotheses);
  writeFileSync(at("reference"), "The dog bit the man.\nIt was not unexpected.\nThe man bit him first.\n");
  writeFileSync(
    at("another"),
    "The dog had bit the man.\nNo one was surprised.\nThe man had bitten the dog.\n",
  );
  writeFileSync(at("short"), "The dog bit the man.\n");
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

it("scores a file by two references, in sacreBLEU's words", async () => {
  const references = ["--reference", at("reference"), "--reference", at("another")];
  const { code, stdout, stderr } = await unrolled("bleu", ...references, "--chrf", "--ter", at("system"));
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatchInlineSnapshot(`
    "BLEU|nrefs:2|case:mixed|eff:no|tok:13a|smooth:exp|version:unrolled-1 = 48.53 82.4/50.0/45.5/37.5 (BP = 0.943 ratio = 0.944 hyp_len = 17 ref_len = 18)
    chrF2|nrefs:2|case:mixed|eff:yes|nc:6|nw:0|space:no|version:unrolled-1 = 59.73
    TER|nrefs:2|case:lc|tok:tercom|norm:no|punct:yes|asian:no|version:unrolled-1 = 40.00
    "
  `);
  const lower = await unrolled("bleu", ...references, "--lowercase", "--tokenize", "none", at("system"));
  expect(lower.stdout).toContain("|case:lc|eff:no|tok:none|");
});

it("scores what is piped in, as JSON, with a range", async () => {
  const args = [
    "bleu",
    "--reference",
    at("reference"),
    "--bootstrap",
    "50",
    "--chrf-word-order",
    "2",
    "--json",
  ];
  const { code, stdout } = await spawnUnrolled(args, { input: hypotheses });
  expect(code).toBe(0);
  const [{ scores }] = jsonLines(stdout) as [
    { scores: { name: string; halfWidth: number; signature: string }[] },
  ];
  expect(scores.map(({ name }) => name)).toEqual(["BLEU", "chrF2++"]);
  expect(scores[0]!.halfWidth).toBeGreaterThan(0);
  expect(scores[0]!.signature).toContain("|bs:50|seed:12345|");
});

it("compares two systems", async () => {
  const files = ["--reference", at("reference"), "--baseline", at("another"), at("system")];
  const { stdout } = await unrolled("bleu", ...files, "--bootstrap", "100");
  expect(stdout).toMatch(/^BLEU\|.* = 45\.07 \(μ = .*\nBLEU of the baseline = .*, p = 0\.\d+\n$/);
});

it("says which file does not fit", async () => {
  const { code, stdout, stderr } = await unrolled("bleu", "--reference", at("reference"), at("short"));
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr.replaceAll(root, "…")).toMatchInlineSnapshot(`
    "error: …/short: must have as many lines as …/reference, 3, got 1, 2 fewer
    "
  `);
  const none = await unrolled("bleu", "--reference", at("missing"), at("short"));
  expect(none.stderr.replaceAll(root, "…")).toMatchInlineSnapshot(`
    "error: …/missing: cannot be read: there is no such file or folder
    "
  `);
  const smooth = await unrolled("bleu", "--reference", at("reference"), "--smooth-value", "-1", at("system"));
  expect({ code: smooth.code, stderr: smooth.stderr }).toMatchInlineSnapshot(`
    {
      "code": 2,
      "stderr": "error: BLEU: --smooth-value must be a number 0 or more, got -1
    ",
    }
  `);
});
