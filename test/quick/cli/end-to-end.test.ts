import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { jsonLines, type Outcome, spawnUnrolled, unrolled } from "./run.ts";

let root: string;
let trained: Outcome;
const at = (...parts: string[]) => join(root, ...parts);
const proverb = "the quick brown fox jumps over the lazy dog\n";
const settings = ["--hidden-size", "32", "--num-layers", "1", "--batch-size", "4", "--seq-length", "16"];
const train = (...args: string[]) => [
  "train",
  "language-model",
  "--text",
  at("text.txt"),
  ...settings,
  ...args,
];

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "unrolled-cli-"));
  writeFileSync(at("text.txt"), proverb.repeat(60));
  const learn = ["--epochs", "15", "--learning-rate", "0.02"];
  trained = await unrolled(...train(...learn, "--test", at("text.txt"), "--out", at("model"), "--json"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** The type of every value, by name. */
const typesOf = (object: object) =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, typeof value]));

const numbers = (...names: string[]) => Object.fromEntries(names.map((name) => [name, "number"]));

describe("train language-model --json", () => {
  it("writes one event a line and nothing else", () => {
    expect({ code: trained.code, stderr: trained.stderr }).toEqual({ code: 0, stderr: "" });
    const events = jsonLines(trained.stdout);
    const kinds = new Map(events.map((event) => [event.type, typesOf(event)]));
    expect(Object.fromEntries(kinds)).toEqual({
      step: {
        type: "string",
        ...numbers(
          "step",
          "epoch",
          "epochs",
          "loss",
          "gradNorm",
          "parameterNorm",
          "learningRate",
          "tokens",
          "tokensPerSecond",
          "seconds",
          "progress",
        ),
        secondsLeft: "number",
      },
      validation: { type: "string", ...numbers("step", "epoch", "loss", "perplexity"), best: "boolean" },
      checkpoint: { type: "string", step: "number", kind: "string", path: "string" },
      test: { type: "string", ...numbers("tokens", "loss", "perplexity", "bitsPerToken") },
      done: {
        ...{ type: "string", reason: "string" },
        ...numbers("step", "epoch", "validLoss", "perplexity", "tokens", "tokensPerSecond", "seconds"),
      },
    });
    const done = events.at(-1)!;
    const losses = events.filter(({ type }) => type === "validation").map(({ loss }) => loss as number);
    expect(done).toMatchObject({
      type: "done",
      reason: "finished",
      epoch: 15,
      validLoss: Math.min(...losses),
    });
    expect(done.perplexity).toBeCloseTo(Math.exp(done.validLoss as number), 10);
    expect(done.perplexity).toBeLessThan(2);
  });

  it("leaves the best weights, and in training/ the last", () => {
    expect(readdirSync(at("model")).sort()).toEqual([
      "config.json",
      "model.safetensors",
      "tokenizer.json",
      "training",
    ]);
  });
});

describe("with the model", () => {
  it("evaluate --json gives five fields, the test's figures", async () => {
    const { code, stdout, stderr } = await unrolled(
      "evaluate",
      at("model"),
      "--text",
      at("text.txt"),
      "--json",
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const [result] = jsonLines(stdout);
    expect(Object.keys(result!)).toEqual(["task", "tokens", "loss", "perplexity", "bitsPerToken"]);
    expect(result).toMatchObject({ task: "language-model", tokens: proverb.length * 60 - 1 });
    const test = jsonLines(trained.stdout).find(({ type }) => type === "test");
    expect(result!.loss).toBe(test!.loss);
  });

  it("evaluate in words says the same", async () => {
    const { stdout } = await unrolled("evaluate", at("model"), "--text", at("text.txt"));
    expect(stdout.replace(/[\d.,]+( nats a token)?$/gm, "#$1")).toMatchInlineSnapshot(`
      "tokens          #
      loss            # nats a token
      perplexity      #
      bits per token  #
      "
    `);
  });

  it("score --json gives four fields a line, from a file or standard input", async () => {
    const input = `${proverb}\r\n\nxod yzal eht\r\n`;
    writeFileSync(at("lines.txt"), input);
    const [fromFile, fromInput] = [
      await unrolled("score", at("model"), at("lines.txt"), "--json"),
      await spawnUnrolled(["score", at("model"), "--json"], { input }),
    ];
    expect({ code: fromFile.code, stderr: fromFile.stderr }).toEqual({ code: 0, stderr: "" });
    expect(fromInput).toEqual(fromFile);
    const [good, bad, ...rest] = jsonLines(fromFile.stdout);
    expect(rest).toEqual([]);
    expect(good).toMatchObject({ text: proverb.trim(), tokens: proverb.length - 1 });
    expect(Object.keys(good!)).toEqual(["text", "tokens", "logProb", "perplexity"]);
    expect(good!.perplexity).toBeLessThan(bad!.perplexity as number);
    expect(good!.perplexity).toBeCloseTo(Math.exp(-(good!.logProb as number) / (good!.tokens as number)), 10);
  });

  it("generate writes what --json says, the same for the same seed", async () => {
    const args = ["generate", at("model"), "--prompt", "the ", "--max-tokens", "60", "--temperature", "0"];
    const words = await unrolled(...args);
    const [json] = jsonLines((await unrolled(...args, "--seed", "3", "--json")).stdout);
    expect(words.stdout).toBe(`the ${json!.text}\n`);
    expect(words.stdout).toContain("lazy dog");
    const [stopped] = jsonLines((await unrolled(...args, "--stop", "fox", "--stop", "dog", "--json")).stdout);
    expect(stopped!.text).toBe((json!.text as string).split(/fox|dog/)[0]);
  });

  it("inspect shows configuration, parameters, vocabulary and training", async () => {
    const { stdout } = await unrolled("inspect", at("model"));
    expect(
      stdout
        .replaceAll(root, "…")
        .replace(/\d:\d\d/, "TIME")
        .replace(/^\d.*\n/gm, "")
        .replace(/(was|=) [\d.]+/g, "$1 #"),
    ).toMatchInlineSnapshot(`
      "…/model: language-model

      LanguageModelNetwork(
        (embedding): Embedding(28, 32)
        (rnn): LSTM(32, 32, forgetGateBias=1)
        (output): Linear(32, 28)
        (embeddingDropout): Dropout(0)
        (outputDropout): Dropout(0)
      ), 10,268 parameters

      embedding.weight  [28, 32]     896
      rnn.weight_ih_l0  [128, 32]   4096
      rnn.weight_hh_l0  [128, 32]   4096
      rnn.bias_ih_l0    [128]        128
      rnn.bias_hh_l0    [128]        128
      output.weight     [28, 32]     896
      output.bias       [28]          28
      total                        10268

      vocabulary: 28 chars
        "\\n" " " a b c d e f g h i j k l m n o p q r s t u v w x y z

      trained with
        unit "char", cell "lstm", hiddenSize 32, numLayers 1, dropout 0, tieWeights
        false, output "softmax", validFraction 0.1, validTokens 4000000, windows
        "sequential", batchSize 4, seqLength 16, epochs 15, optimizer "adam",
        learningRate 0.02, schedule "constant", weightDecay 0, clip 5, seed 1,
        accumulate 1

      trained for 15 epochs, 570 updates, 35,580 tokens, TIME;
      the first loss was #, a uniform guess has ln 28 = #

      epoch  update  validation loss  perplexity
      "
    `);
    const [description] = jsonLines((await unrolled("inspect", at("model"), "--json")).stdout);
    expect(Object.keys(description!)).toEqual([
      "task",
      "network",
      "parameters",
      "tokenizer",
      "options",
      "training",
    ]);
  });
});

describe("train language-model for people", () => {
  it("tells on stderr how it goes, on stdout what to do next", async () => {
    const { code, stdout, stderr } = await unrolled(...train("--epochs", "2", "--out", at("people")));
    expect(code).toBe(0);
    const plain = (text: string) =>
      text
        .replaceAll(root, "…")
        .replace(/\d+:\d\d/g, "TIME")
        .replace(/[\d.]+k? tokens/g, "# tokens")
        .replace(/(loss|perplexity) [\d.]+/g, "$1 #");
    expect(plain(stdout)).toMatchInlineSnapshot(`
      "…/people holds the best weights; trained in TIME

      next:
        npx unrolled generate …/people --max-tokens 400
        npx unrolled inspect …/people
      "
    `);
    expect(plain(stderr)).toMatchInlineSnapshot(`
      "50%  loss #  TIME left  # tokens/s  epoch 1/2
      epoch 1: validation loss #, perplexity #
      epoch 2: validation loss #, perplexity #
      done: 76 updates in TIME, # tokens/s; best validation loss #, perplexity #
      "
    `);
  });

  it.each([
    { signal: "SIGINT", again: "Ctrl-C", exit: 130 },
    { signal: "SIGTERM", again: "SIGTERM", exit: 143 },
  ] as const)("$signal saves the last checkpoint and exits with $exit", async ({ signal, again, exit }) => {
    const out = at(signal);
    const { code, stdout, stderr } = await spawnUnrolled(
      [...train("--epochs", "100000", "--checkpoint-every", "5", "--out", out, "--json")],
      {
        act(child, written) {
          if (written.includes('"checkpoint"') && !child.killed) child.kill(signal);
        },
      },
    );
    expect(code).toBe(exit);
    expect(stderr.replaceAll(root, "…")).toBe(
      `stopping; ${again} again to stop at once\n` +
        `stopped; …/${signal} holds the best model so far; the same command with --resume goes on from here\n`,
    );
    const events = jsonLines(stdout);
    const { step } = events.at(-1)!;
    expect(events.at(-1)).toMatchObject({ type: "done", reason: "aborted" });
    expect(events.findLast(({ kind }) => kind === "last")).toMatchObject({ step });
    const [description] = jsonLines((await unrolled("inspect", out, "--json")).stdout);
    expect(description!.training).toMatchObject({ step });
  });

  it("resumes where a signal stopped it, and says what it is asked to do otherwise", async () => {
    const options = ["--epochs", "3", "--dropout", "0.2"];
    await unrolled(...train(...options, "--out", at("whole")));
    const { code } = await spawnUnrolled(
      [...train(...options, "--checkpoint-every", "4", "--out", at("pieces"), "--json")],
      {
        act(child, written) {
          if (written.includes('"checkpoint"') && !child.killed) child.kill("SIGTERM");
        },
      },
    );
    expect(code).toBe(143);
    const text = ["--text", at("text.txt"), "--out", at("pieces"), "--resume"];
    const { stderr } = await unrolled("train", "language-model", ...text);
    expect(stderr.replaceAll(root, "…")).toMatch(
      /^resumed from …\/pieces\/training\/0+\d: \d+ updates, 0 whole epochs\n/,
    );
    expect(readFileSync(at("pieces", "model.safetensors"))).toEqual(
      readFileSync(at("whole", "model.safetensors")),
    );
    const again = await unrolled("train", "language-model", ...text, "--hidden-size", "64");
    expect(again).toMatchObject({ code: 2, stdout: "" });
    expect(again.stderr).toMatchInlineSnapshot(`
      "error: resume goes on with the options the training began with: --hidden-size was 32, got 64
      hint: leave these out, or train anew in another folder
      "
    `);
    const finished = await unrolled("train", "language-model", ...text);
    expect(finished.code).toBe(0);
    expect(finished.stderr).toContain("this training is finished; more epochs go on with it");
  });

  it("shows in the end what each op cost, with --profile", async () => {
    const { code, stderr } = await unrolled(
      ...train("--max-steps", "3", "--profile", "--out", at("profiled")),
    );
    expect(code).toBe(0);
    expect(stderr).toMatch(/\n\nop +pass +count +ms +share +GFLOP\/s +GB\/s\n/);
    expect(stderr).toMatch(/\nlstm +backward +1 +[\d.]+ /);
  });

  it("a reader that has seen enough is no failure", async () => {
    const { code, stderr } = await spawnUnrolled(["generate", at("model"), "--max-tokens", "100000"], {
      act: (child) => child.stdout?.destroy(),
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });
});
