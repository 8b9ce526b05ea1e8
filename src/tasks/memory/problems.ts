import type { Generator } from "../../tensor/random.ts";

/**
 * Tasks made to measure memory: what decides the answer at the end of a sequence stands at its beginning, and noise in
 * between. All sequences of a batch have one length T.
 */
export interface Problem {
  /** What the sequences are and where they come from, in a line. */
  summary: string;
  inputSize: number;
  /** Classes to tell apart; of a problem whose answer is a number, 1. */
  outputSize: number;
  answer: "class" | "number";
  /** The last steps, each of which has an answer. */
  answers: number;
  /** The shortest sequence that there is room in, and the lengths it is trained on unless told otherwise. */
  minLength: number;
  length: readonly [number, number];
  /** An answer that is a number is wrong if it is further off than this. */
  tolerance?: number;
  /** What is validated: the part of the sequences answered wrong, or the mean squared error. */
  measure: "wrong" | "squared-error";
  /** A training stops when a validation is this good. */
  goal: number;
  make(random: Generator, T: number): Sequence;
}

/** One sequence and its answers. */
export interface Sequence {
  /** [T, inputSize] */
  inputs: Float32Array;
  /** One for each of the last `answers` steps. */
  targets: readonly number[];
  /** The target without the noise that a training gets to see. Default: the same. */
  truth?: number;
}

/** A whole number in [from, to), or `from` if there is none between. */
const between = (random: Generator, from: number, to: number) =>
  Math.floor(from) + random.below(Math.max(1, Math.floor(to) - Math.floor(from)));

function oneHot(symbols: ArrayLike<number>, size: number): Float32Array {
  const inputs = new Float32Array(symbols.length * size);
  for (let t = 0; t < symbols.length; t++) inputs[t * size + symbols[t]!] = 1;
  return inputs;
}

const temporalOrder: Problem = {
  summary:
    "tell in which order two symbols, X or Y each, stood among others: in the second tenth and in the sixth (Hochreiter & Schmidhuber 1997, 6a)",
  inputSize: 6,
  outputSize: 4,
  answer: "class",
  answers: 1,
  minLength: 10,
  length: [50, 200],
  measure: "wrong",
  goal: 0.005,
  make(random, T) {
    const symbols = Int32Array.from({ length: T }, () => 2 + random.below(4));
    const [first, second] = [random.below(2), random.below(2)];
    symbols[between(random, T / 10, T / 5)] = first;
    symbols[between(random, T / 2, (3 * T) / 5)] = second;
    return { inputs: oneHot(symbols, 6), targets: [2 * first + second] };
  },
};

/** Numbers in [0, 1), of which two are marked: one in the first tenth, one from there to the middle. */
function markedNumbers(random: Generator, T: number, combine: (a: number, b: number) => number): Sequence {
  const inputs = new Float32Array(2 * T);
  for (let t = 0; t < T; t++) inputs[2 * t] = random.uniform();
  const marks = [between(random, 0, T / 10), between(random, T / 10, T / 2)] as const;
  for (const t of marks) inputs[2 * t + 1] = 1;
  return { inputs, targets: [combine(inputs[2 * marks[0]]!, inputs[2 * marks[1]]!)] };
}

const ofNumbers = {
  inputSize: 2,
  outputSize: 1,
  answer: "number",
  answers: 1,
  minLength: 10,
  length: [100, 110],
  tolerance: 0.2,
  measure: "squared-error",
  goal: 0.001,
} as const;

const addition: Problem = {
  ...ofNumbers,
  summary:
    "add the two of many numbers that are marked; always saying 1 has a squared error of 1/6 (1997, 4; Pascanu et al. 2013)",
  make: (random, T) => markedNumbers(random, T, (a, b) => a + b),
};

const multiplication: Problem = {
  ...ofNumbers,
  summary: "multiply them; always saying 1/4 has a squared error of 7/144 (1997, 5)",
  make: (random, T) => markedNumbers(random, T, (a, b) => a * b),
};

const PATTERN = 5;

const copy: Problem = {
  summary: "say five bits again after a long blank and a cue (Martens & Sutskever 2011; Pascanu et al. 2013)",
  inputSize: 4,
  outputSize: 2,
  answer: "class",
  answers: PATTERN,
  minLength: 2 * PATTERN + 1,
  length: [50, 50],
  measure: "wrong",
  goal: 0.005,
  make(random, T) {
    const bits = Array.from({ length: PATTERN }, () => random.below(2));
    const [blank, cue] = [2, 3];
    const symbols = new Int32Array(T).fill(blank);
    symbols.set(bits);
    symbols[T - PATTERN] = cue;
    return { inputs: oneHot(symbols, 4), targets: bits };
  },
};

const experiment3c: Problem = {
  summary:
    "tell classes apart by the sign of the first three numbers, the rest being noise, when the answers are noisy too (1997, 3c)",
  inputSize: 1,
  outputSize: 1,
  answer: "number",
  answers: 1,
  minLength: 4,
  length: [100, 110],
  tolerance: 0.1,
  measure: "wrong",
  goal: 0,
  make(random, T) {
    const first = random.below(2) === 0;
    const noise = (variance: number) => Math.sqrt(variance) * random.normal();
    const inputs = Float32Array.from({ length: T }, (_, t) => (t < 3 ? (first ? 1 : -1) : noise(0.2)));
    const truth = first ? 0.2 : 0.8;
    return { inputs, targets: [truth + noise(0.1)], truth };
  },
};

const named = {
  "temporal-order": temporalOrder,
  addition,
  multiplication,
  copy,
  "experiment-3c": experiment3c,
} satisfies Record<string, Problem>;

export type ProblemName = keyof typeof named;
export const problems: Readonly<Record<ProblemName, Problem>> = named;
export const problemNames = Object.keys(named) as ProblemName[];
