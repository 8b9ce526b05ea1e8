import * as v from "valibot";
import type { Unit } from "../../data/text/tokenizer.ts";
import { type WordSplit, wordSplits } from "../../data/text/words.ts";
import { OptionError } from "../../errors.ts";
import {
  checkOptions,
  numberIn,
  oneOf,
  recordOf,
  recordWith,
  type SchemasOf,
  text,
  trueOrFalse,
  wholeNumber,
} from "../../options.ts";
import { checkDependent, checkFolders, type Dependent, type RunOptions, runEntries } from "../run-options.ts";
import { cacheFolder, cells, MAX_DIRECT, MAX_ORDER, nonlinearities } from "./choices.ts";
import type { LanguageModelEvent } from "./events.ts";
import type { LanguageModelParts } from "./load.ts";

export const units = ["char", "byte", "word", "bpe"] as const satisfies readonly Unit[];
export const optimizers = ["sgd", "asgd", "nt-asgd", "adagrad", "rmsprop", "adam", "adamw"] as const;
/** Those whose model is the mean of the weights over time. */
const averaging: readonly string[] = ["asgd", "nt-asgd"];
export const windowLayouts = ["sequential", "shuffled"] as const;
export const schedules = ["constant", "step", "plateau", "halving", "cosine"] as const;
export const outputs = ["softmax", "classes", "adaptive"] as const;
export const binnings = ["frequency", "sqrt-frequency"] as const;

/**
 * Text to learn from: the path of a UTF-8 file, which may be packed by gzip or zstd; several paths, read one after the
 * other; globs such as `corpus/*.txt`, whose files are read in the order of their names; or the text itself.
 */
export type TextSource = string | readonly string[] | { readonly text: string };

/** Everything `LanguageModel.train` can be told. */
export interface LanguageModelOptions extends RunOptions<LanguageModelEvent> {
  /** What a token is. Default "char". */
  unit?: Unit;
  /** Of words: how the text is cut into them. Default "whitespace". */
  split?: WordSplit;
  /** Of words and sub-words. Default false. */
  lowercase?: boolean;
  /** Of words: rarer ones become `<unk>`. Default 1 for a text with `<unk>` in it, else 2. */
  minCount?: number;
  /**
   * Of words: the probability of `<unk>` is that of all words which are, and each has an even share of it (Mikolov et al.
   * 2010, §2). Default false: what follows `<unk>` is no one's.
   */
  shareRare?: boolean;
  /** Of words: the most there may be, `<unk>` and `<eos>` among them. Default all. */
  maxVocabulary?: number;
  /** Of unit "bpe", sub-words: how many there shall be; a small text has fewer. Default 8000. */
  vocabularySize?: number;

  /** The kind of recurrent layer. Default "lstm". */
  cell?: (typeof cells)[number];
  /** Of an rnn's cells. Default "tanh". */
  nonlinearity?: (typeof nonlinearities)[number];
  /** Default: as hiddenSize. */
  embeddingSize?: number;
  /** Default 128. */
  hiddenSize?: number;
  /** Default 2. */
  numLayers?: number;
  /** After the embedding, between layers and before the output. Default 0. */
  dropout?: number;
  /** Drop the same units at each step of a window (Gal & Ghahramani 2016). Default false. */
  variationalDropout?: boolean;
  /** Of the recurrent weights W_hh, for a whole window (Merity et al. 2017). Default 0. */
  weightDrop?: number;
  /** The probability that a unit of h keeps its value for a step (Krueger et al. 2017). Default 0. */
  zoneout?: number;
  /** The same of an LSTM's c. Default 0. */
  zoneoutCell?: number;
  /** The embedding is the output's weight too (Press and Wolf 2017); needs embeddingSize = hiddenSize. Default false. */
  tieWeights?: boolean;
  /**
   * Probabilities of all tokens at once, of classes and of the tokens within one, or "adaptive": of the most frequent tokens
   * and of clusters of rarer ones, which take fewer features (Grave et al. 2017). Default "softmax".
   */
  output?: (typeof outputs)[number];
  /** Of output "classes": how many, at most. Default 100. */
  classes?: number;
  /** What the classes have alike: the sum of their tokens' frequencies, or of the roots of these. Default "sqrt-frequency". */
  classBinning?: (typeof binnings)[number];
  /** Of output "classes": the size of the table of direct connections from n-grams to the output. Default 0: none. */
  direct?: number;
  /** The longest n-grams of the direct connections. Default 3. */
  directOrder?: number;
  /** Of output "adaptive": the first token of each cluster but the first. Default those of 2,000 and 10,000 that there are. */
  cutoffs?: readonly number[];
  /**
   * Of output "softmax": in training the sum over all tokens is estimated from so many drawn ones (Jean et al. 2015). Default:
   * it is not.
   */
  sampledSoftmax?: number;
  /** Width of a sigmoid layer before the output. Default: no such layer. */
  compression?: number;
  /** All weights begin uniform in ±this. Default: as each layer has it, see there. */
  initRange?: number;

  /**
   * A model to start from: its folder, or a `LanguageModel`. Its architecture is taken over, and its weights, token by
   * token where the vocabularies differ.
   */
  initFrom?: string | LanguageModelParts;
  /** With initFrom: keep the model's vocabulary instead of making that of the text. Default false. */
  keepTokenizer?: boolean;
  /** Parameters that are not trained: their names, in which `*` stands for any characters. Default none. */
  freeze?: readonly string[];

  /** Text to validate on. Default: the last part of the training text. */
  valid?: TextSource;
  /** The part of the training text held out where there is no `valid`; 0 for none. Default 0.1. */
  validFraction?: number;
  /** The most held-out tokens that a validation reads, from their beginning. Default 4,000,000. */
  validTokens?: number;
  /**
   * How the text is read: "sequential", as `batchSize` streams side by side with the state carried from window to window;
   * or "shuffled", windows in random order, each from a state of zeros. Default "sequential".
   */
  windows?: (typeof windowLayouts)[number];
  /** Lines have nothing to do with one another: each is read from a state of zeros, `batchSize` at once. Default false. */
  independent?: boolean;
  /**
   * Each line is read from both of its ends, and each of its tokens predicted from all the others: a model that fills gaps
   * (`fill`) and does not write. Lines are then independent. Default false.
   */
  bidirectional?: boolean;
  /**
   * The folder in which the tokens of texts too large for memory are kept; false to keep none. Default: `unrolled` in the
   * system's folder for caches.
   */
  cache?: string | false;
  /** Streams read side by side. Default 50. */
  batchSize?: number;
  /** Tokens of a window, through which gradients flow back. Default 50. */
  seqLength?: number;
  /**
   * Tokens before a window through which its gradients flow back besides: each is read so many times more, with the
   * weights as they then are. Default 0.
   */
  bptt?: number;
  /** Default 10. */
  epochs?: number;
  /**
   * "asgd" is SGD, and validates and keeps the mean of the weights since the beginning; "nt-asgd" does so from the first
   * validation on that is no better than all but the last `nonmono` (Merity et al. 2017). Default "adam".
   */
  optimizer?: (typeof optimizers)[number];
  /** Of optimizer "nt-asgd": n, the validations whose losses a later one need not beat. Default 5. */
  nonmono?: number;
  /** Default 1 for sgd and those that average, 0.01 for adagrad, 0.002 for the others. */
  learningRate?: number;
  /** AR, α: the weight of the mean square of what the output reads, dropout included (Merity et al. 2017). Default 0. */
  ar?: number;
  /** TAR, β: the weight of the mean square of h's change from step to step (Merity et al. 2017). Default 0. */
  tar?: number;
  /** L2; that of the direct connections too. Default 0. */
  weightDecay?: number;
  /** The learning rate of the direct connections, whose optimizer is SGD, as a multiple of the others'. Default 1. */
  directRate?: number;
  /** How the learning rate changes. Default "constant". */
  schedule?: (typeof schedules)[number];
  /** Of schedules "step", "plateau" and "halving": what the learning rate is multiplied by. Default 0.5. */
  decay?: number;
  /** Of schedule "step": epochs before the first decay; from then on there is one an epoch. Default 1. */
  decayAfter?: number;
  /**
   * Of schedule "halving": the decays begin with the first validation whose loss is not below the last one's by this
   * factor; the second such one ends the training. Default 1.003.
   */
  minImprovement?: number;
  /** The gradient's norm is scaled down to this. Default 5, or not at all with a clipValue. */
  clip?: number;
  /** Each element of the gradient is cut to ± this. Default: not at all. */
  clipValue?: number;
  /** Batches whose gradients are averaged for one update. Default 1. */
  accumulate?: number;
  /** Tell the norms of each parameter and its gradient in step events. Default false. */
  logNorms?: boolean;
  /** Tell in the done event what each op cost. Default false. */
  profile?: boolean;
  /** Let the model write some text after each so many validations. Default: never. */
  sampleEvery?: number;
}

const MAX_SIZE = 65_536;
const MAX_COUNT = 2 ** 31 - 1;

const isPath = (x: unknown) => typeof x === "string" && x !== "";

/** Where text comes from. */
export const textSource = v.custom<TextSource>(
  (x) =>
    isPath(x) ||
    (Array.isArray(x) && x.length > 0 && x.every(isPath)) ||
    typeof (x as { text?: unknown } | null)?.text === "string",
  'must be the path of a text file, several in an array, or { text: "…" }',
);

const startingPoint = v.custom<string | LanguageModelParts>(
  (x) => (typeof x === "string" && x !== "") || (x as LanguageModelParts | null)?.network !== undefined,
  "must be the folder of a model, or a LanguageModel",
);

const schema = recordOf({
  unit: v.optional(oneOf(units), "char"),
  split: v.optional(oneOf(wordSplits)),
  lowercase: v.optional(trueOrFalse()),
  minCount: v.optional(wholeNumber(1, MAX_COUNT)),
  shareRare: v.optional(trueOrFalse()),
  maxVocabulary: v.optional(wholeNumber(3, 2 ** 20)),
  vocabularySize: v.optional(wholeNumber(257, 2 ** 20)),

  cell: v.optional(oneOf(cells), "lstm"),
  nonlinearity: v.optional(oneOf(nonlinearities)),
  embeddingSize: v.optional(wholeNumber(1, MAX_SIZE)),
  hiddenSize: v.optional(wholeNumber(1, MAX_SIZE), 128),
  numLayers: v.optional(wholeNumber(1, 64), 2),
  dropout: v.optional(numberIn({ from: 0, below: 1 }), 0),
  variationalDropout: v.optional(trueOrFalse()),
  weightDrop: v.optional(numberIn({ from: 0, below: 1 })),
  zoneout: v.optional(numberIn({ from: 0, below: 1 })),
  zoneoutCell: v.optional(numberIn({ from: 0, below: 1 })),
  tieWeights: v.optional(trueOrFalse(), false),
  output: v.optional(oneOf(outputs), "softmax"),
  classes: v.optional(wholeNumber(1, 2 ** 20)),
  classBinning: v.optional(oneOf(binnings)),
  direct: v.optional(wholeNumber(0, MAX_DIRECT)),
  directOrder: v.optional(wholeNumber(2, MAX_ORDER)),
  cutoffs: v.optional(v.array(wholeNumber(1, 2 ** 20), "must be an array of tokens' numbers")),
  sampledSoftmax: v.optional(wholeNumber(1, 2 ** 20)),
  compression: v.optional(wholeNumber(1, MAX_SIZE)),
  initRange: v.optional(numberIn({ above: 0 })),

  initFrom: v.optional(startingPoint),
  keepTokenizer: v.optional(trueOrFalse()),
  freeze: v.optional(v.array(text(), "must be an array of names")),

  valid: v.optional(textSource),
  validFraction: v.optional(numberIn({ from: 0, to: 0.5 }), 0.1),
  validTokens: v.optional(wholeNumber(2, Number.MAX_SAFE_INTEGER), 4_000_000),
  windows: v.optional(oneOf(windowLayouts), "sequential"),
  independent: v.optional(trueOrFalse()),
  bidirectional: v.optional(trueOrFalse()),
  cache: v.optional(cacheFolder),
  batchSize: v.optional(wholeNumber(1, MAX_SIZE), 50),
  seqLength: v.optional(wholeNumber(1, MAX_SIZE), 50),
  bptt: v.optional(wholeNumber(0, MAX_SIZE)),
  epochs: v.optional(wholeNumber(1, 1_000_000), 10),
  optimizer: v.optional(oneOf(optimizers), "adam"),
  nonmono: v.optional(wholeNumber(0, 1_000_000)),
  learningRate: v.optional(numberIn({ above: 0 })),
  ar: v.optional(numberIn({ from: 0 })),
  tar: v.optional(numberIn({ from: 0 })),
  directRate: v.optional(numberIn({ from: 0 })),
  schedule: v.optional(oneOf(schedules), "constant"),
  decayAfter: v.optional(wholeNumber(0, 1_000_000)),
  minImprovement: v.optional(numberIn({ from: 1 })),
  ...runEntries<LanguageModelEvent>(),
  clip: v.optional(numberIn({ above: 0 }), 5),
  clipValue: v.optional(numberIn({ above: 0 })),
  accumulate: v.optional(wholeNumber(1, MAX_SIZE), 1),
  logNorms: v.optional(trueOrFalse()),
  profile: v.optional(trueOrFalse()),
  sampleEvery: v.optional(wholeNumber(1, MAX_COUNT)),
} satisfies SchemasOf<LanguageModelOptions>);

export type ResolvedOptions = Omit<v.InferOutput<typeof schema>, "clip"> & { clip: number | undefined };

/** Options that mean nothing unless another has a certain value. */
const dependent: Dependent<v.InferOutput<typeof schema>> = [
  ["split", "unit", ["word"]],
  ["lowercase", "unit", ["word", "bpe"]],
  ["minCount", "unit", ["word"]],
  ["maxVocabulary", "unit", ["word"]],
  ["vocabularySize", "unit", ["bpe"]],
  ["shareRare", "unit", ["word"]],
  ["nonlinearity", "cell", ["rnn"]],
  ["zoneout", "cell", ["rnn", "lstm", "gru", "mrnn", "mlstm"]],
  ["zoneoutCell", "cell", ["lstm", "mlstm"]],
  ["classes", "output", ["classes"]],
  ["classBinning", "output", ["classes"]],
  ["direct", "output", ["classes"]],
  ["directOrder", "output", ["classes"]],
  ["directRate", "output", ["classes"]],
  ["cutoffs", "output", ["adaptive"]],
  ["sampledSoftmax", "output", ["softmax"]],
  ["nonmono", "optimizer", ["nt-asgd"]],
  ["bptt", "windows", ["sequential"]],
  ["independent", "windows", ["sequential"]],
  ["decay", "schedule", ["step", "plateau", "halving"]],
  ["minImprovement", "schedule", ["halving"]],
  ["decayAfter", "schedule", ["step"]],
  ["warmup", "schedule", ["cosine"]],
];

/** Where to start from, which has a say in the other options. */
export function checkInitFrom(where: string, options: LanguageModelOptions) {
  return checkOptions(where, recordWith({ initFrom: v.optional(startingPoint) }), options).initFrom;
}

/** The options, checked and with their defaults. */
export function checkTrainingOptions(where: string, options: LanguageModelOptions): ResolvedOptions {
  const checked = checkOptions(where, schema, options);
  checkDependent(where, checked, dependent);
  if (checked.keepTokenizer) checkKeepTokenizer(where, checked);
  if (checked.bidirectional) checkBidirectional(where, checked);
  for (const name of ["ar", "tar", "sampledSoftmax"] as const) {
    // Lines are padded to one length: what follows a line's end is no change of h, and no word to tell from others.
    if (checked[name] && checked.independent)
      throw new OptionError(`${where}: ${name} does not go with independent lines`);
  }
  if (checked.ema !== undefined && averaging.includes(checked.optimizer)) {
    throw new OptionError(
      `${where}: ema does not go with ${checked.optimizer}, which averages the weights itself`,
    );
  }
  const { embeddingSize = checked.hiddenSize, tieWeights } = checked;
  if (tieWeights && checked.output === "adaptive") {
    throw new OptionError(`${where}: tieWeights does not go with output adaptive`);
  }
  const { compression, hiddenSize } = checked;
  if (tieWeights && embeddingSize !== (compression ?? hiddenSize)) {
    const width = compression === undefined ? "hiddenSize" : "compression";
    throw new OptionError(
      `${where}: tieWeights needs embeddingSize = ${width}, got ${embeddingSize} and ${compression ?? hiddenSize}`,
    );
  }
  checkFolders(where, checked);
  const noNorm = options.clip === undefined && options.clipValue !== undefined;
  return noNorm ? { ...checked, clip: undefined } : checked;
}

/** Lines are independent where they are read from both ends. */
function checkBidirectional(where: string, options: ResolvedOptions): void {
  const { tieWeights, output, compression, windows } = options;
  const other = Object.entries({
    tieWeights,
    [`output ${output}`]: output !== "softmax",
    sampledSoftmax: options.sampledSoftmax !== undefined,
    compression: compression !== undefined,
    "windows shuffled": windows === "shuffled",
    "independent false": options.independent === false,
  }).find(([, given]) => given);
  if (other) throw new OptionError(`${where}: bidirectional does not go with ${other[0]}`);
  options.independent = true;
}

function checkKeepTokenizer(where: string, options: ResolvedOptions): void {
  if (options.initFrom === undefined) {
    throw new OptionError(`${where}: keepTokenizer needs initFrom, the model whose vocabulary is kept`);
  }
  const ofText = ["split", "lowercase", "minCount", "maxVocabulary", "shareRare", "vocabularySize"] as const;
  for (const name of ofText) {
    if (options[name] === undefined) continue;
    throw new OptionError(
      `${where}: ${name} is for a vocabulary of the text, but keepTokenizer keeps the model's`,
    );
  }
}

/** Whether an option may have this value, whatever the others are. */
export function optionAccepts(name: keyof LanguageModelOptions, value: unknown): boolean {
  return v.is(schema.entries[name], value);
}
