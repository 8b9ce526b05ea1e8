import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { encodeWav } from "../../../src/data/audio/wav.ts";
import { checkSpeechOptions, type SpeechOptions } from "../../../src/tasks/speech/options.ts";
import { RATE, tones, writeTones } from "../../tones.ts";
import { jsonLines, type Outcome, spawnUnrolled, unrolled } from "./run.ts";

let root: string;
let trained: Outcome;
const at = (...parts: string[]) => join(root, ...parts);
const small = [
  "--filters",
  "16",
  "--hidden-size",
  "24",
  "--num-layers",
  "1",
  "--stack",
  "3",
  "--stride",
  "2",
];
const quick = [
  ...small,
  "--batch-size",
  "8",
  "--epochs",
  "16",
  "--learning-rate",
  "0.02",
  "--schedule",
  "cosine",
];

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "unrolled-cli-"));
  writeTones(root, "train", 120, 1);
  writeTones(root, "test", 20, 2);
  writeFileSync(at("ab.wav"), encodeWav(tones("ab"), RATE));
  writeFileSync(at("text.txt"), "ab c\nab\nc ab\n".repeat(20));
  const data = ["--manifest", at("train.jsonl"), "--valid", at("test.jsonl")];
  trained = await unrolled("train", "speech", ...data, ...quick, "--json", "--out", at("model"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

it("train speech --json writes one event a line and nothing else", () => {
  expect({ code: trained.code, stderr: trained.stderr }).toEqual({ code: 0, stderr: "" });
  const events = jsonLines(trained.stdout);
  expect(new Set(events.map(({ type }) => type))).toEqual(
    new Set(["features", "corpus", "step", "validation", "checkpoint", "done"]),
  );
  expect(events.findLast(({ type }) => type === "validation")).toMatchObject({ wer: 0, cer: 0 });
});

it("transcribe writes what is said, or all of it as JSON", async () => {
  expect(await unrolled("transcribe", at("model"), at("ab.wav"))).toEqual({
    code: 0,
    stdout: "ab\n",
    stderr: "",
  });
  const { stdout } = await unrolled(
    "transcribe",
    at("model"),
    at("ab.wav"),
    "--beam",
    "20",
    "--alternatives",
    "1",
    "--json",
  );
  const [found] = jsonLines(stdout);
  expect(found).toMatchObject({ audio: at("ab.wav"), text: "ab", words: [{ word: "ab" }], notes: [] });
  expect(Object.keys(found!)).toEqual([
    ...["audio", "text", "logProbability", "words", "alternatives", "seconds", "notes"],
  ]);
});

it("transcribe --plot draws what was heard, and when", async () => {
  const plot = at("heard.svg");
  expect(await unrolled("transcribe", at("model"), at("ab.wav"), "--plot", plot)).toMatchObject({ code: 0 });
  const svg = readFileSync(plot, "utf8");
  expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"/);
  const named = [...svg.matchAll(/text-anchor="middle" fill="currentColor">(.)</g)].map(([, label]) => label);
  expect(named.sort()).toEqual(["a", "b"]);
  const two = await spawnUnrolled(["transcribe", at("model"), at("ab.wav"), at("ab.wav"), "--plot", plot]);
  expect(two.stderr).toContain("error: --plot draws a single recording, got 2");
});

it("transcribe stops at what cannot be read, or says so and goes on; silence is noted", async () => {
  writeFileSync(at("cut.wav"), encodeWav(tones("ab"), RATE).slice(0, 3000));
  writeFileSync(at("silent.wav"), encodeWav(new Float32Array(4000), RATE));
  const files = [at("cut.wav"), at("nowhere.wav"), at("silent.wav"), at("ab.wav")];
  const stopped = await unrolled("transcribe", at("model"), ...files);
  const { code, stdout, stderr } = await unrolled("transcribe", at("model"), ...files, "--skip-bad");
  expect([stopped.code, code]).toEqual([1, 1]);
  expect(stopped.stdout.split("\n").length).toBe(2);
  expect(stdout.replaceAll(root, "…").replace(/(cut.wav\t).*/, "$1#")).toMatchInlineSnapshot(`
    "…/cut.wav	#
    …/silent.wav	
    …/ab.wav	ab
    "
  `);
  expect(stderr.replaceAll(root, "…")).toMatchInlineSnapshot(`
    "note: …/cut.wav: is cut off, 2106 bytes of samples are missing
    skipped: …/nowhere.wav: cannot be read: there is no such file or folder
    note: …/silent.wav: is silent: all its samples are the same
    "
  `);
});

it("transcribe --stream listens to stdin", async () => {
  const data = ["--manifest", at("train.jsonl"), "--valid", at("test.jsonl"), "--no-bidirectional"];
  expect((await unrolled("train", "speech", ...data, ...quick, "--out", at("forward"))).code).toBe(0);
  const pcm = encodeWav(tones("ab"), RATE).subarray(44);
  const heard = async (...flags: string[]) =>
    (await spawnUnrolled(["transcribe", at("forward"), "--stream", ...flags], { input: pcm })).stdout;
  const lines = jsonLines(await heard("--json"));
  expect(lines.at(-1)).toMatchObject({ final: true, seconds: pcm.length / 2 / RATE });
  const text = lines.at(-1)!.text as string;
  expect((await heard("--rate", String(RATE))).trimEnd().split("\n").at(-1)).toBe(text);
  const { stdout } = await unrolled("transcribe", at("forward"), at("ab.wav"));
  expect(stdout).toBe(`${text}\n`);
});

it("evaluate counts errors of words and characters", async () => {
  const data = ["--manifest", at("test.jsonl")];
  const { code, stdout } = await unrolled("evaluate", at("model"), ...data);
  expect(code).toBe(0);
  expect(stdout.replace(/of sound in .*?;/, "of sound in #;")).toMatchInlineSnapshot(`
    "            errors  substituted  inserted  deleted  of
    words       0.0 %             0         0        0  28
    characters  0.0 %             0         0        0  61

    20 utterances, 0:08 of sound in #; 100.0 % without an error
    "
  `);
  const [evaluation] = jsonLines((await unrolled("evaluate", at("model"), ...data, "--json")).stdout);
  expect(evaluation).toMatchObject({
    task: "speech",
    utterances: 20,
    wer: { rate: 0, substitutions: 0, insertions: 0, deletions: 0 },
    cer: { rate: 0 },
    skipped: [],
  });
});

it("evaluate tries weights of a language model", async () => {
  const text = ["--text", at("text.txt"), "--order", "2"];
  expect((await unrolled("train", "ngram", ...text, "--out", at("lm"), "--arpa", at("lm.arpa"))).code).toBe(
    0,
  );
  const data = ["--manifest", at("test.jsonl"), "--lm", at("lm.arpa"), "--beam", "10"];
  const { code, stdout } = await unrolled("evaluate", at("model"), ...data, "--tune");
  expect(code).toBe(0);
  expect(stdout).toMatch(/^--lm-weight +--insertion-bonus +WER\n/);
  const tried = JSON.parse((await unrolled("evaluate", at("model"), ...data, "--tune", "--json")).stdout);
  expect(tried.length).toBe(24);
  expect(Object.keys(tried[0])).toEqual(["weight", "insertionBonus", "rate"]);
  const chosen = [
    "--lm-weight",
    String(tried[0].weight),
    "--insertion-bonus",
    String(tried[0].insertionBonus),
  ];
  const evaluated = await unrolled("evaluate", at("model"), ...data, ...chosen, "--json");
  expect(jsonLines(evaluated.stdout)[0]).toMatchObject({ wer: { rate: tried[0].rate } });
});

it("inspect shows front end, network and labels", async () => {
  const { stdout } = await unrolled("inspect", at("model"));
  expect(stdout).toContain("model: speech\n");
  expect(stdout).toContain('features "mel", sampleRate 8000');
  expect(stdout).toContain("LSTM(48, 24");
  const [described] = jsonLines((await unrolled("inspect", at("model"), "--json")).stdout);
  expect(Object.keys(described!).sort()).toEqual(
    "frontEnd labels lowercase network options parameters task training unit".split(" "),
  );
});

it("train speech shows what it does, and leaves out what cannot be used if it is told to", async () => {
  mkdirSync(at("more"), { recursive: true });
  const lines = ['{"audio": "ab.wav", "text": "ab"}', '{"audio": "nowhere.wav", "text": "ab"}'];
  writeFileSync(at("mixed.jsonl"), lines.join("\n"));
  const tiny = [
    "train",
    "speech",
    "--manifest",
    at("mixed.jsonl"),
    ...small,
    "--epochs",
    "1",
    "--valid-fraction",
    "0",
  ];
  const stopped = await unrolled(...tiny, "--out", at("more", "1"));
  expect({ code: stopped.code, stderr: stopped.stderr.replaceAll(root, "…") }).toMatchInlineSnapshot(`
    {
      "code": 1,
      "stderr": "50%  reading recordings
    error: …/mixed.jsonl: line 2: …/nowhere.wav: cannot be read: there is no such file or folder
    hint: --skip-bad leaves such utterances out
    ",
    }
  `);
  expect(existsSync(at("more", "1"))).toBe(false);
  const { code, stdout, stderr } = await unrolled(...tiny, "--skip-bad", "--out", at("more", "2"));
  expect(code).toBe(0);
  expect(stderr).toContain("skipped: ");
  expect(stderr).toContain("1 utterances (0:00); 2 labels");
  expect(stdout.replaceAll(root, "…").replace(/in \d:\d\d/, "in #")).toMatchInlineSnapshot(`
    "…/more/2 holds the best weights; 1 updates in #

    next:
      npx unrolled transcribe …/more/2 a.wav
      npx unrolled evaluate …/more/2 --manifest …/mixed.jsonl
    "
  `);
  const resumed = await unrolled(...tiny, "--skip-bad", "--resume", "--out", at("more", "2"));
  expect(resumed.stderr).toContain("this training is finished; more epochs go on with it");
});

it("what does not fit is told by its flag", async () => {
  const problems: string[] = [];
  for (const args of [
    ["train", "speech", "--out", at("new")],
    ["train", "speech", "--manifest", at("train.jsonl"), "--stride", "9", "--out", at("new")],
    ["train", "speech", "--recipe", "conected-digits", "--out", at("new")],
    ["train", "speech", "--recipe", "connected-digits", "--data", at("nowhere"), "--out", at("new")],
    ["transcribe", at("model"), at("ab.wav"), "--lm-unit", "char"],
    ["transcribe", at("model"), at("ab.wav"), "--beam", "5", "--lm-weight", "2"],
    ["transcribe", at("model"), at("ab.wav"), "--insertion-bonus", "1"],
    ["evaluate", at("model"), "--manifest", at("test.jsonl"), "--tune", "--lm-weight", "2"],
    ["transcribe", at("model"), at("ab.wav"), "--beam", "0"],
    ["transcribe", at("lm"), at("ab.wav")],
    ["transcribe", at("model")],
    ["transcribe", at("model"), "--stream"],
    ["transcribe", at("model"), "--stream", at("ab.wav")],
    ["transcribe", at("model"), "--stream", "--skip-bad"],
    ["transcribe", at("model"), at("ab.wav"), "--rate", "8000"],
    ["evaluate", at("model")],
    ["evaluate", at("model"), "--manifest", at("test.jsonl"), "--tune"],
    ["evaluate", at("model"), "--text", at("text.txt")],
    ["evaluate", at("lm"), "--manifest", at("test.jsonl")],
  ]) {
    const { code, stdout, stderr } = await unrolled(...args);
    expect(stdout).toBe("");
    expect(code).not.toBe(0);
    problems.push(stderr.replaceAll(root, "…"));
  }
  expect(problems.join("\n")).toMatchInlineSnapshot(`
    "error: --manifest PATH must name recordings to learn from
    hint: or name a --recipe

    error: --stride must be at most stack, 2, so that nothing is left out, got 9

    error: --recipe conected-digits is not known (did you mean connected-digits?)

    error: recipe connected-digits: reads …/nowhere/fsdd, and there is no such file
    hint: where its data come from, recipes/speech/connected-digits/README.md in the repository says

    error: --lm-unit is for --lm, and there is none

    error: --lm-weight is for --lm, and there is none

    error: --insertion-bonus is for a search, and there is no --beam, --lm or --lexicon

    error: --tune finds --lm-weight and --insertion-bonus, give neither with it

    error: --beam must be a whole number from 1 to 100000, got 0

    error: …/lm/config.json: task must be "speech", got "ngram"

    error: transcribe needs recordings, or --stream to listen to stdin

    error: stream: the model must read forward only, it reads in both directions
    hint: train it with bidirectional: false

    error: --stream listens to stdin, and takes no recordings, got …/ab.wav

    error: --skip-bad is for recordings, not for --stream

    error: --rate is for --stream

    error: --manifest PATH must name recordings that the model was not trained on
    hint: run \`unrolled evaluate --help\`

    error: --lm must be given, its weight is what is tuned

    error: --text is for language models, and …/model is none

    error: --manifest is for models of \`train speech\`, and …/lm is none
    "
  `);
});

/** All that can be said of a training, except what only a program can say; one that is missing does not compile. */
const options: Record<Exclude<keyof SpeechOptions, "onProgress" | "signal">, true> = {
  valid: true,
  validFraction: true,
  join: true,
  skipBad: true,
  initFrom: true,
  unit: true,
  lowercase: true,
  features: true,
  sampleRate: true,
  filters: true,
  coefficients: true,
  low: true,
  high: true,
  deltas: true,
  normalize: true,
  stack: true,
  stride: true,
  convolution: true,
  hiddenSize: true,
  numLayers: true,
  bidirectional: true,
  layerNorm: true,
  dropout: true,
  speeds: true,
  frequencyMasks: true,
  frequencyWidth: true,
  timeMasks: true,
  timeWidth: true,
  loss: true,
  samples: true,
  expectedOf: true,
  batchSize: true,
  epochs: true,
  maxSteps: true,
  optimizer: true,
  learningRate: true,
  weightDecay: true,
  schedule: true,
  decay: true,
  warmup: true,
  clip: true,
  accumulate: true,
  measure: true,
  validateEvery: true,
  patience: true,
  ema: true,
  seed: true,
  threads: true,
  out: true,
  resume: true,
  checkpointEvery: true,
  logDir: true,
  log: true,
  logEvery: true,
};

it("has a flag for every option of a training, and names its true default", async () => {
  const { stdout } = await unrolled("train", "speech", "--help");
  const defaults = checkSpeechOptions({}) as Record<string, unknown>;
  const flags = stdout.replace(/\s+/g, " ");
  for (const name of Object.keys(options)) {
    const flag = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    const told = name === "bidirectional" ? "--no-bidirectional" : `--${flag}`;
    expect(flags).toContain(told);
    const value = defaults[name];
    if (typeof value === "number" && !["learningRate", "stack", "stride"].includes(name)) {
      expect(flags.slice(flags.indexOf(`${told} <`)), name).toMatch(
        new RegExp(`^[^(]*\\(default: ${value}[,; )]`),
      );
    }
  }
});
