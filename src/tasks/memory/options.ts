import * as v from "valibot";
import { OptionError } from "../../errors.ts";
import {
  checkOptions,
  functionOf,
  numberIn,
  oneOf,
  recordOf,
  type SchemasOf,
  text,
  wholeNumber,
} from "../../options.ts";
import type { CheckpointEvent, DoneEvent, StepEvent, ValidationEvent } from "../../training/events.ts";
import { type ProblemName, problemNames, problems } from "./problems.ts";

export const cells = ["rnn", "lstm", "gru"] as const;
export const nonlinearities = ["tanh", "relu", "sigmoid"] as const;
export const recurrentInits = ["identity", "orthogonal"] as const;
export type RecurrentInit = (typeof recurrentInits)[number];
export const optimizers = ["sgd", "rmsprop", "adam", "hessian-free"] as const;

/** What `MemoryModel.train` tells as it goes on. A validation's loss is what the problem is measured by. */
export type MemoryEvent =
  | StepEvent
  | (ValidationEvent & { wrong: number })
  | CheckpointEvent
  | (DoneEvent & { solved: boolean });

/** Everything `MemoryModel.train` can be told. */
export interface MemoryOptions {
  /** What to learn. */
  problem: ProblemName;
  /** Of the sequences: a number, or from and to, of which each batch draws one. Default: the problem's own. */
  length?: number | readonly [from: number, to: number];

  /** The kind of recurrent layer. Default "lstm". */
  cell?: (typeof cells)[number];
  /** Of an rnn's cells. Default "tanh". */
  nonlinearity?: (typeof nonlinearities)[number];
  /** Default 50. */
  hiddenSize?: number;
  /** Default 1. */
  numLayers?: number;
  /** Of an lstm: the forget gates' first bias. Large, they hardly forget, like cells that have none. Default 1. */
  forgetGateBias?: number;
  /** Of an lstm, in place of that: the number of steps its gates remember for at first (Tallec & Ollivier 2018). */
  chrono?: number;
  /**
   * Of an rnn: W_hh begins as the "identity" (Le et al. 2015) or "orthogonal" (Saxe et al. 2014), W_ih near 0, biases at 0.
   * Default: all uniform in ±1/√H.
   */
  recurrentInit?: RecurrentInit;

  /** Sequences to an update. Default 20, or 1,000 for hessian-free. */
  batchSize?: number;
  /** The most updates; the training stops before if the problem is solved. Default 50,000, or 500 for hessian-free. */
  maxSteps?: number;
  /** "hessian-free" is for a tanh net of one layer (Martens & Sutskever 2011). Default "adam". */
  optimizer?: (typeof optimizers)[number];
  /** Of hessian-free: λ at first, by which its quadratic model is damped. Default 1. */
  damping?: number;
  /** Of hessian-free: μ, how much of λ keeps hidden states near what they are. Default 0.03. */
  structuralDamping?: number;
  /** Of hessian-free: the most iterations of conjugate gradients to an update. Default 200. */
  cgIterations?: number;
  /** Of hessian-free: sequences of a batch that the curvature is measured on. Default a quarter of them. */
  curvatureBatch?: number;
  /** Of the others. Default 0.01 for sgd, 0.001 for the rest. */
  learningRate?: number;
  /** The gradient's norm is scaled down to this. Default 1, or not at all with a clipValue and for hessian-free. */
  clip?: number;
  /** Each element of the gradient is cut to ± this. Default: not at all. */
  clipValue?: number;
  /** Of an rnn: the weight of the regulariser that keeps gradients from vanishing (Pascanu et al. 2013). Default 0. */
  omega?: number;
  /** Updates between validations. Default 500, or 5 for hessian-free. */
  validateEvery?: number;
  /** Fresh sequences that a validation asks about, the same in each. Default 1,000. */
  validSequences?: number;
  /** Default 1. */
  seed?: number;
  /** Default: one for each processor. The result is the same for any number. */
  threads?: number;

  /** A new or empty folder for the model. Default: nothing is written. */
  out?: string;
  /** Updates between step events. Default: as many as there are in half a second. */
  logEvery?: number;
  onProgress?: (event: MemoryEvent) => void;
  /** Ends the training early: the model is the best so far. */
  signal?: AbortSignal;
}

const MAX_COUNT = 2 ** 31 - 1;
const MAX_LENGTH = 1_000_000;
const oneLength = wholeNumber(1, MAX_LENGTH);
const positive = numberIn({ above: 0 });

export const lengthSchema = v.union(
  [oneLength, v.tuple([oneLength, oneLength])],
  `must be a whole number from 1 to ${MAX_LENGTH}, or two: from and to`,
);

const schema = recordOf({
  problem: oneOf(problemNames),
  length: v.optional(lengthSchema),

  cell: v.optional(oneOf(cells), "lstm"),
  nonlinearity: v.optional(oneOf(nonlinearities)),
  hiddenSize: v.optional(wholeNumber(1, 65_536), 50),
  numLayers: v.optional(wholeNumber(1, 64), 1),
  forgetGateBias: v.optional(numberIn({})),
  chrono: v.optional(numberIn({ from: 3 })),
  recurrentInit: v.optional(oneOf(recurrentInits)),

  batchSize: v.optional(wholeNumber(1, 65_536)),
  maxSteps: v.optional(wholeNumber(1, MAX_COUNT)),
  optimizer: v.optional(oneOf(optimizers), "adam"),
  damping: v.optional(positive),
  structuralDamping: v.optional(numberIn({ from: 0 })),
  cgIterations: v.optional(wholeNumber(1, 1_000_000)),
  curvatureBatch: v.optional(wholeNumber(1, 65_536)),
  learningRate: v.optional(positive),
  clip: v.optional(positive),
  clipValue: v.optional(positive),
  omega: v.optional(numberIn({ from: 0 })),
  validateEvery: v.optional(wholeNumber(1, MAX_COUNT)),
  validSequences: v.optional(wholeNumber(1, MAX_COUNT), 1000),
  seed: v.optional(wholeNumber(0, Number.MAX_SAFE_INTEGER), 1),
  threads: v.optional(wholeNumber(1, 256)),

  out: v.optional(v.pipe(text(), v.nonEmpty("must not be empty"))),
  logEvery: v.optional(wholeNumber(1, MAX_COUNT)),
  onProgress: v.optional(functionOf<(event: MemoryEvent) => void>()),
  signal: v.optional(v.instance(AbortSignal, "must be an AbortSignal")),
} satisfies SchemasOf<MemoryOptions>);

type Defaulted = "learningRate" | "batchSize" | "maxSteps" | "validateEvery";
export type ResolvedOptions = Omit<v.InferOutput<typeof schema>, "length" | Defaulted> & {
  length: readonly [number, number];
} & Record<Defaulted, number>;

const where = "MemoryModel.train";

/** The options, checked and with their defaults. */
export function checkMemoryOptions(options: MemoryOptions): ResolvedOptions {
  const checked = checkOptions(where, schema, options);
  for (const [name, cell] of [
    ["nonlinearity", "rnn"],
    ["omega", "rnn"],
    ["recurrentInit", "rnn"],
    ["forgetGateBias", "lstm"],
    ["chrono", "lstm"],
  ] as const) {
    if (checked[name] === undefined || checked.cell === cell) continue;
    throw new OptionError(`${where}: ${name} is for cell ${cell}, got cell ${checked.cell}`);
  }
  const { optimizer } = checked;
  const hessianFree = optimizer === "hessian-free";
  checkHessianFree(checked, hessianFree);
  const { clip = hessianFree || checked.clipValue !== undefined ? undefined : 1 } = checked;
  const { batchSize, maxSteps, validateEvery, learningRate } = checked;
  return {
    ...checked,
    batchSize: batchSize ?? (hessianFree ? 1000 : 20),
    maxSteps: maxSteps ?? (hessianFree ? 500 : 50_000),
    validateEvery: validateEvery ?? (hessianFree ? 5 : 500),
    learningRate: learningRate ?? (hessianFree ? 1 : optimizer === "sgd" ? 0.01 : 0.001),
    ...(clip !== undefined && { clip }),
    length: lengthsOf(where, checked.problem, checked.length),
  };
}

function checkHessianFree(options: v.InferOutput<typeof schema>, chosen: boolean): void {
  const { cell, nonlinearity = "tanh", numLayers, optimizer } = options;
  const own = ["damping", "structuralDamping", "cgIterations", "curvatureBatch"] as const;
  const others = ["learningRate", "clip", "clipValue", "omega"] as const;
  const wrong = (chosen ? others : own).find((name) => options[name] !== undefined);
  if (wrong) {
    const whose = chosen
      ? "no option of optimizer hessian-free"
      : `for optimizer hessian-free, got ${optimizer}`;
    throw new OptionError(`${where}: ${wrong} is ${whose}`);
  }
  if (chosen && (cell !== "rnn" || nonlinearity !== "tanh" || numLayers > 1)) {
    const net = `${numLayers} of cell ${cell}${cell === "rnn" ? ` (${nonlinearity})` : ""}`;
    throw new OptionError(
      `${where}: optimizer hessian-free is for a tanh net (cell rnn) of one layer, got ${net}`,
    );
  }
}

/** From and to, with room for the problem. */
export function lengthsOf(
  where: string,
  problem: ProblemName,
  given: MemoryOptions["length"] = problems[problem].length,
): readonly [number, number] {
  const [from, to] = typeof given === "number" ? [given, given] : given;
  const { minLength } = problems[problem];
  if (from < minLength || to < from) {
    throw new OptionError(
      `${where}: length must be ${minLength} or more, or from such a length to one that is no less, got ${from}–${to}`,
    );
  }
  return [from, to];
}
