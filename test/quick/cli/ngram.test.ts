import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { unrolled } from "./run.ts";

let root: string;
const at = (...parts: string[]) => join(root, ...parts);

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "unrolled-"));
  writeFileSync(at("text.txt"), "the cat sat\nthe dog sat\na cat ran\nthe dog ran off\n".repeat(5));
  writeFileSync(at("test.txt"), "the cat ran\na dog sat\n");
  await unrolled(
    "train",
    "ngram",
    "--order",
    "3",
    "--text",
    at("text.txt"),
    "--out",
    at("lm"),
    "--arpa",
    at("lm.arpa"),
  );
}, 60_000);
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe("train ngram", () => {
  it("says what it made, in words and as JSON, and keeps another model's vocabulary", async () => {
    const args = ["train", "ngram", "--text", at("test.txt"), "--vocabulary-from", at("lm"), "--order", "2"];
    const { code, stdout } = await unrolled(...args, "--test", at("test.txt"), "--out", at("other"));
    expect(code).toBe(0);
    expect(stdout.replaceAll(root, "…")).toMatch(
      /^…\/other holds \d+ n-grams, 0\.0 MiB in memory; trained in \d:\d\d\n\n +tokens +perplexity\ntest +8 +\d\.\d{3}\n$/,
    );
    const json = await unrolled(...args, "--valid", at("text.txt"), "--out", at("json"), "--json");
    const { seconds, ...rest } = JSON.parse(json.stdout);
    expect(seconds).toBeGreaterThan(0);
    // <unk>, <eos>, <s>, and the words of the first text, "off" among them
    expect(rest).toMatchObject({ sizes: [10, 8], valid: { tokens: 85 } });
  });

  it("refuses what it cannot train on, before it writes", async () => {
    const train = (...args: string[]) => unrolled("train", "ngram", "--out", at("refused"), ...args);
    const outcomes = [
      await train(),
      await train("--text", at("none.txt")),
      await train("--text", at("text.txt"), "--order", "9"),
      await train("--text", at("text.txt"), "--cutoffs", "1,x"),
      await train("--recipe", "kneser"),
      await train("--recipe", "kneser-ney", "--data", root),
    ];
    expect(outcomes.map(({ stderr }) => stderr.replaceAll(root, "…"))).toMatchInlineSnapshot(`
      [
        "error: --text FILE must name a text to learn from
      hint: or name a --recipe
      ",
        "error: …/none.txt: cannot be read: there is no such file or folder
      ",
        "error: NgramModel.train: order must be a whole number from 1 to 6, got 9
      ",
        "error: NgramModel.train: cutoffs.1 must be a whole number from 1 to 2147483647, got NaN
      ",
        "error: --recipe kneser is not known (known are kneser-ney)
      ",
        "error: recipe kneser-ney: reads …/ptb/ptb.train.txt, and there is no such file
      hint: where its data come from, recipes/ngram/kneser-ney/README.md says
      ",
      ]
    `);
    expect(existsSync(at("refused", "config.json"))).toBe(false);
  });
});

describe("an n-gram model's folder, and its ARPA file", () => {
  it.each(["lm", "lm.arpa"])("%s is evaluated, scored, written with and inspected", async (name) => {
    const evaluated = await unrolled("evaluate", at(name), "--text", at("test.txt"), "--json");
    expect(JSON.parse(evaluated.stdout)).toMatchObject({ task: "ngram", tokens: 8 });
    writeFileSync(at("lines.txt"), "the cat sat\nsat the cat\n");
    const scored = await unrolled("score", at(name), at("lines.txt"), "--json");
    const [good, bad] = scored.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).perplexity);
    expect(good).toBeLessThan(bad);
    const written = await unrolled("generate", at(name), "--seed", "1", "--max-tokens", "20");
    expect(written.stdout).toMatch(/^(the|a) (cat|dog)/);
    const inspected = await unrolled("inspect", at(name));
    expect(inspected.stdout).toContain("ngram of order 3; each line begins anew");
    const { ngram, bytes } = JSON.parse((await unrolled("inspect", at(name), "--json")).stdout);
    expect(ngram.sizes).toEqual([10, 13, 12]);
    expect(bytes).toBeGreaterThan(500);
  });
});
