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
        "error: --order must be a whole number from 1 to 6, got 9
      ",
        "error: --cutoffs must be whole numbers, 16,32,64, got "1,x"
      ",
        "error: --recipe kneser is not known (known are kneser-ney)
      ",
        "error: recipe kneser-ney: reads …/ptb/ptb.train.txt, and there is no such file
      hint: where its data come from, recipes/ngram/kneser-ney/README.md in the repository says
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

describe("interpolate", () => {
  it("shows each model and their mixture, in words and as JSON", async () => {
    await unrolled("train", "ngram", "--order", "1", "--text", at("text.txt"), "--out", at("uni"));
    const args = ["interpolate", at("lm"), at("uni"), "--valid", at("test.txt"), "--test", at("text.txt")];
    const { code, stdout } = await unrolled(...args);
    expect(code).toBe(0);
    expect(
      stdout
        .replaceAll(root, "…")
        .replace(/\d+\.\d+/g, "N")
        .replace(/ +/g, " "),
    ).toMatchInlineSnapshot(`
      "model weight valid perplexity test perplexity
      …/lm N N N
      …/uni N N N
      mixed N N
      "
    `);
    const json = JSON.parse((await unrolled(...args, "--weights", "0.5,0.5", "--json")).stdout);
    expect(json).toMatchObject({ models: [at("lm"), at("uni")], weights: [0.5, 0.5], valid: { tokens: 8 } });
    expect(json.test.models).toHaveLength(2);
  });

  it("refuses in words", async () => {
    const outcomes = [
      await unrolled("interpolate", at("lm"), "--test", at("test.txt")),
      await unrolled("interpolate", at("lm"), at("lm.arpa"), "--test", at("test.txt")),
      await unrolled("interpolate", at("lm"), at("lm.arpa"), "--weights", "1,x", "--test", at("test.txt")),
      await unrolled("evaluate", at("lm"), "--int8", "--text", at("test.txt")),
    ];
    expect(outcomes.map(({ stderr }) => stderr.replaceAll(root, "…"))).toMatchInlineSnapshot(`
      [
        "error: needs 2 models or more, got 1
      ",
        "error: interpolate: needs valid, the text to tune the weights on, or the weights
      ",
        "error: --weights must be numbers, 0.9,1,1.1, got "1,x"
      ",
        "error: int8 weights are for networks, and …/lm is an n-gram model
      ",
      ]
    `);
  });
});

describe("rescore", () => {
  it("gives a score a line, the best of each utterance, and adds to other scores", async () => {
    writeFileSync(at("nbest"), "a sat cat the\na the cat sat\nb the zebra ran\nb the dog ran\n");
    const plain = await unrolled("rescore", at("lm"), "--nbest", at("nbest"));
    expect(plain.stdout).toMatch(/^(-\d+\.\d{6}\n){4}$/);
    const best = await unrolled("rescore", at("lm"), "--nbest", at("nbest"), "--best");
    expect(best.stdout).toBe("a the cat sat\nb the dog ran\n");
    writeFileSync(at("scores"), "9\n-9\n9\n-9\n");
    const scores = ["--nbest", at("nbest"), "--scores", at("scores")];
    const other = await unrolled("rescore", at("lm"), ...scores, "--lm-weight", "0.5", "--best");
    expect(other.stdout).toBe("a sat cat the\nb the zebra ran\n");
    const json = await unrolled(
      "rescore",
      at("lm"),
      "--ngram",
      at("lm.arpa"),
      ...scores,
      "--lm-weight",
      "2",
      "--json",
    );
    const lines = json.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    lines.forEach(({ log10Prob, score }, i) => {
      expect(score).toBeCloseTo([9, -9, 9, -9][i]! + 2 * log10Prob, 12);
      expect(log10Prob).toBeCloseTo(Number(plain.stdout.split("\n")[i]), 5);
    });
    expect(lines.map(({ id, tokens, unknown }) => [id, tokens, unknown])).toEqual([
      ["a", 4, 0],
      ["a", 4, 0],
      ["b", 4, 1],
      ["b", 4, 0],
    ]);
  });

  it("names malformed lines by their number", async () => {
    const of = async (nbest: string, ...args: string[]) => {
      writeFileSync(at("bad"), nbest);
      const { stderr } = await unrolled("rescore", at("lm"), "--nbest", at("bad"), ...args);
      return stderr.replaceAll(root, "…");
    };
    const withScores = (scores: string) => {
      writeFileSync(at("others"), scores);
      return of("a the cat\na a dog\n", "--scores", at("others"));
    };
    expect([
      await of("a the cat\n\na the dog\n"),
      await of("a the cat\n", "--lm-weight", "2"),
      await of("a the cat\n", "--lambda", "0.5"),
      await withScores("1\nx\n"),
      await withScores("1\n"),
      await withScores("1\n\n2\n"),
      await withScores("1\n2\n3\n"),
    ]).toMatchInlineSnapshot(`
      [
        "error: …/bad: line 2: must have an utterance's id and its words, got nothing
      ",
        "error: --lm-weight needs --scores FILE: what the log-probability is weighted against
      ",
        "error: --lambda needs --ngram DIR: the model to mix with
      ",
        "error: …/others: line 2: must be a number, the score of that hypothesis, got "x"
      ",
        "error: …/others: line 2: must be a number, the score of that hypothesis, got nothing
      ",
        "error: …/others: line 2: must be a number, the score of that hypothesis, got nothing
      ",
        "error: …/others: line 3: is one line more than there are hypotheses
      ",
      ]
    `);
  });
});
