import { expect, it } from "vitest";
import {
  checkTrainingOptions,
  type LanguageModelOptions,
} from "../../../src/tasks/language-model/options.ts";
import { unrolled } from "./run.ts";

const commands = [
  "quickstart",
  "train language-model",
  "train ngram",
  "sweep language-model",
  "train memory",
  "train speech",
  "train translation",
  "train captioning",
  "train alignment",
  "transcribe",
  "translate",
  "caption",
  "align",
  "average",
  "interpolate",
  "rescore",
  "evaluate",
  "score",
  "fill",
  "generate",
  "gradients",
  "bleu",
  "inspect",
  "runs",
  "bench",
  "doctor",
];

it("lists every command", async () => {
  const { code, stdout, stderr } = await unrolled("--help");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatchInlineSnapshot(`
    "Usage: unrolled [options] [command]

    Recurrent neural networks: train them, look inside them, ship them.

    Options:
      -v, --version  print the version
      -h, --help     show help

    Commands:
      quickstart     train a small LSTM on a book in about a minute, and see what it learnt
      train          train a model on data of your own
      sweep          train models over a grid or a random sample of options
      average        make one model of the mean weights of several
      interpolate    mix language models, recurrent ones and n-grams
      rescore        give the hypotheses of n-best lists their log-probabilities
      evaluate       measure a model: on texts, on recordings, or on fresh sequences of its problem
      transcribe     write what is said in recordings
      translate      translate lines of text
      rerank         choose from n-best lists of translations by what other models think
      caption        say what is in images
      align          say which words of a sentence belong to which region of an image
      score          give each line its log-probability and perplexity
      fill           say what belongs in the gap of a line
      generate       let a language model write
      gradients      measure and plot how gradients vanish or explode through time
      bleu           score translations by BLEU, chrF and TER, as sacreBLEU does
      inspect        show a model's configuration, parameters, vocabulary and training
      runs           list, compare and plot trainings by their logs
      bench          time a model of a given size on this machine, op by op
      doctor         check what this machine can do

    Run \`unrolled <command> --help\` for a command's options and examples.
    "
  `);
  expect(commands.map((command) => command.split(" ")[0]!).filter((name) => !stdout.includes(name))).toEqual(
    [],
  );
});

it.each(commands)("%s --help explains itself, with examples", async (command) => {
  const { code, stdout, stderr } = await unrolled(...command.split(" "), "--help");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatchSnapshot();
  expect(stdout).toContain("Examples:");
  expect(stdout.split("\n").filter((line) => line.length > 110)).toEqual([]);
  expect((await unrolled("help", ...command.split(" "))).stdout).toBe(stdout);
});

/** All that can be said of a training, except what only a program can say; one that is missing does not compile. */
const options: Record<Exclude<keyof LanguageModelOptions, "onProgress" | "signal">, true> = {
  unit: true,
  split: true,
  lowercase: true,
  minCount: true,
  maxVocabulary: true,
  vocabularySize: true,
  cell: true,
  nonlinearity: true,
  embeddingSize: true,
  hiddenSize: true,
  numLayers: true,
  dropout: true,
  variationalDropout: true,
  weightDrop: true,
  zoneout: true,
  zoneoutCell: true,
  ar: true,
  tar: true,
  nonmono: true,
  tieWeights: true,
  initRange: true,
  independent: true,
  bidirectional: true,
  shareRare: true,
  output: true,
  cutoffs: true,
  sampledSoftmax: true,
  classes: true,
  classBinning: true,
  direct: true,
  directOrder: true,
  directRate: true,
  compression: true,
  bptt: true,
  minImprovement: true,
  initFrom: true,
  keepTokenizer: true,
  freeze: true,
  ema: true,
  windows: true,
  cache: true,
  maxSteps: true,
  valid: true,
  validTokens: true,
  validFraction: true,
  batchSize: true,
  seqLength: true,
  epochs: true,
  optimizer: true,
  learningRate: true,
  weightDecay: true,
  schedule: true,
  decay: true,
  decayAfter: true,
  warmup: true,
  clip: true,
  clipValue: true,
  accumulate: true,
  validateEvery: true,
  patience: true,
  seed: true,
  threads: true,
  out: true,
  resume: true,
  checkpointEvery: true,
  logDir: true,
  log: true,
  logEvery: true,
  logNorms: true,
  profile: true,
  sampleEvery: true,
};

it("has a flag for every option of a training, and names its true default", async () => {
  const { stdout } = await unrolled("train", "language-model", "--help");
  const help = stdout.replace(/\n {10,}/g, " ");
  const defaults: Record<string, unknown> = { ...checkTrainingOptions("test", {}) };
  for (const name of Object.keys(options)) {
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    const line = help.split("\n").find((text) => text.trimStart().startsWith(`${flag} `));
    expect(line, flag).toBeDefined();
    const value = defaults[name];
    if (value !== undefined && value !== false) expect(line).toContain(`(default: ${value})`);
  }
});

it.each([
  [["--versio"]],
  [["trane"]],
  [["train"]],
  [["train", "langage-model"]],
  [["doctor", "--jsn"]],
  [["doctor", "models/book"]],
  [["evaluate"]],
  [["generate", "models/book", "--max-token", "3"]],
  [["generate", "models/book", "--temperature"]],
  [["generate", "models/book", "--temperature", "warm"]],
  [["generate", "models/book", "--seed", ""]],
  [["train", "language-model", "--out", "x", "--hiden-size", "3"]],
  [["train", "language-model", "--out", "x", "--lr", "3"]],
  [["train", "language-model", "--out", "x", "--layers", "3"]],
  [["train", "language-model", "--out", "x", "--nonsense-of-mine", "3"]],
  [["train", "language-model", "--text", "x"]],
  [["train", "language-model", "--out", "x"]],
  [["train", "language-model", "--out", "x", "--recipe", "charrnn"]],
  [["train", "language-model", "--out", "x", "--recipe", "char-rnn", "--data", ""]],
])("%j is not understood: code 2, what is meant on stderr", async (args) => {
  const { code, stdout, stderr } = await unrolled(...args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toMatchSnapshot();
});

it("without a command shows the help, as an error", async () => {
  const { code, stdout, stderr } = await unrolled();
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toBe((await unrolled("--help")).stdout);
});
