import { describe, expect, it } from "vitest";
import { step } from "../autograd/step.ts";
import { setThreads } from "../engine/index.ts";
import { Generator } from "../tensor/random.ts";
import { parameter, type Tensor, tensor, zeros } from "../tensor/tensor.ts";
import { checkGradients, checkParity, expectClose, type OpCase } from "../testing/check-op.ts";
import { withReference } from "../testing/reference-backend.ts";
import { type ClassCrossEntropyOptions, classCrossEntropy } from "./class-cross-entropy.ts";
import { classLogProbs } from "./class-log-probs.ts";
import { classSample } from "./class-sample.ts";
import { crossEntropy } from "./cross-entropy.ts";
import { ngramHashes } from "./ngram-hashes.ts";
import { wordClasses } from "./word-classes.ts";

const int = (...values: number[]) => Int32Array.from(values);
const classes = wordClasses([0, 1, 4, 9], 30);
const shapes = {
  x: [3, 2, 5],
  classWeight: [4, 5],
  classBias: [4],
  weight: [30, 5],
  bias: [30],
  targets: [3, 2],
};
const targets = int(29, 0, 9, 12, 2, 29);
const [T, N, ORDERS, SIZE] = [3, 2, 3, 50];
const tokens = int(4, 1, 29, 0, 7, 7);
const before = Float64Array.of(-1, 3);

const run =
  (options: ClassCrossEntropyOptions) =>
  ({ targets, ...inputs }: Record<string, Tensor>) =>
    classCrossEntropy(inputs as never, targets!, classes, options);

const cases: OpCase[] = [
  ...[
    {},
    { reduction: "sum" },
    { reduction: "none" },
    { ignoreIndex: 29 },
    { ignoreIndex: 9, reduction: "none" },
  ].map((options) => ({
    name: JSON.stringify(options),
    shapes,
    values: { targets },
    run: run(options as ClassCrossEntropyOptions),
  })),
  {
    name: "without biases",
    shapes: { ...shapes, classBias: [], bias: [] },
    values: { targets },
    run: ({ classBias: _, bias: __, ...inputs }) => run({})(inputs),
  },
  {
    name: "one class, which is the full softmax",
    shapes: { x: [3, 5], classWeight: [1, 5], weight: [30, 5], targets: [3] },
    values: { targets: int(29, 0, 3) },
    run: ({ targets, ...inputs }) => classCrossEntropy(inputs as never, targets!, wordClasses([0], 30)),
  },
  {
    name: "no row",
    shapes: { ...shapes, x: [0, 5], targets: [0] },
    values: { targets: int() },
    run: run({}),
  },
  {
    name: "with direct connections",
    shapes,
    values: { targets },
    run: (inputs) => {
      const { hashes } = ngramHashes(tensor(tokens, [T, N]), tensor(before, [1, N]), ORDERS);
      const direct = tensor(Float64Array.from({ length: SIZE }, (_, i) => Math.fround(Math.sin(i))));
      return run({})({ ...inputs, direct, hashes });
    },
  },
];

describe.each(cases)("classCrossEntropy $name", (test) => {
  it("agrees with the float64 reference", () => checkParity(test));
  it("has the gradient that finite differences give", () => checkGradients(test));
});

it("agrees with the reference for groups of many rows and words, on any number of threads", () => {
  const [R, H, V] = [257, 40, 1000];
  const test: OpCase = {
    name: "large",
    shapes: { x: [R, H], classWeight: [3, H], classBias: [3], weight: [V, H], bias: [V], targets: [R] },
    values: { targets: Int32Array.from({ length: R }, (_, i) => (i * i * 31) % V) },
    run: ({ targets, ...inputs }) => classCrossEntropy(inputs as never, targets!, wordClasses([0, 7, 60], V)),
  };
  checkParity(test);
  const bits = (threads: number) => {
    setThreads(threads);
    return step(() => {
      const random = (shape: number[], by: number) =>
        tensor(
          Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(i * by)),
          shape,
          { requiresGrad: true },
        );
      const inputs = {
        x: random([R, H], 1.7),
        classWeight: random([3, H], 2.3),
        weight: random([V, H], 3.1),
      };
      const direct = constantParameter(tensor(Float32Array.from({ length: 5000 }, (_, i) => Math.sin(i))));
      const hashes = tensor(
        Int32Array.from({ length: 2 * R }, (_, i) => 1 + ((i * 7919) % 101)),
        [R, 2],
      );
      const learn = { learningRate: 0.1, weightDecay: 0.01 };
      const loss = classCrossEntropy(
        { ...inputs, direct, hashes },
        tensor(test.values!.targets as Int32Array),
        wordClasses([0, 7, 60], V),
        { learn },
      );
      loss.backward();
      return [loss, ...Object.values(inputs).map((t) => t.grad!), direct].map((t) => t.toArray().join());
    });
  };
  expect(bits(2)).toEqual(bits(1));
});

const parameters = {
  x: [T, N, 5],
  classWeight: [4, 5],
  classBias: [4],
  weight: [30, 5],
  bias: [30],
  direct: [SIZE],
};

function someInputs() {
  let at = 0;
  return Object.fromEntries(
    Object.entries(parameters).map(([name, shape]) => {
      const size = shape.reduce((a, b) => a * b);
      return [
        name,
        tensor(
          Float64Array.from({ length: size }, () => Math.fround(2 * Math.sin(++at * 7))),
          shape,
        ),
      ];
    }),
  ) as Record<keyof typeof parameters, Tensor>;
}

describe("classLogProbs", () => {
  const all = (reference: boolean) => {
    const f = () =>
      step(() => {
        const { hashes } = ngramHashes(tensor(tokens, [T, N]), tensor(before, [1, N]), ORDERS);
        const inputs = { ...someInputs(), hashes };
        const logProbs = classLogProbs(inputs, classes, tensor(classes.starts));
        const losses = classCrossEntropy(inputs, tensor(targets, [T, N]), classes, { reduction: "none" });
        return { logProbs, losses };
      });
    return reference ? withReference(f) : f();
  };

  it("agrees with the float64 reference", () => {
    expectClose("logProbs", all(false).logProbs.toArray(), all(true).logProbs.toArray(), 1e-5);
  });

  it("is a distribution, and the one that is trained", () => {
    const { logProbs, losses } = all(false);
    const values = logProbs.toArray() as Float32Array;
    for (let r = 0; r < T * N; r++) {
      const row = values.subarray(r * 30, (r + 1) * 30);
      expect(Math.abs(row.reduce((sum, v) => sum + Math.exp(v), 0) - 1)).toBeLessThan(1e-6);
      expect(losses.toArray()[r]).toBeCloseTo(-row[targets[r]!]!, 5);
    }
  });

  it("with one class is log-softmax", () => {
    const { x, weight, bias } = someInputs();
    const one = wordClasses([0], 30);
    const inputs = { x, classWeight: zeros([1, 5]), weight, bias };
    const logProbs = classLogProbs(inputs, one, tensor(one.starts));
    const losses = classCrossEntropy(inputs, tensor(targets, [T, N]), one, { reduction: "none" });
    const expected = crossEntropy(logProbs, tensor(targets, [T, N]), { reduction: "none" });
    expectClose("losses", losses.toArray(), expected.toArray(), 1e-5);
  });
});

describe("classSample", () => {
  const drawn = (uniform: Float64Array) => {
    const { hashes } = ngramHashes(tensor(tokens, [T, N]), tensor(before, [1, N]), ORDERS);
    return [...classSample({ ...someInputs(), hashes }, classes, tensor(uniform, [T, N, 2])).toArray()];
  };

  it("draws what the reference draws", () => {
    for (let i = 0; i < 20; i++) {
      const uniform = Float64Array.from({ length: 2 * T * N }, (_, j) =>
        Math.fround((0.37 * (7 * i + j) + 0.013) % 1),
      );
      expect(drawn(uniform)).toEqual(withReference(() => drawn(uniform)));
    }
  });

  it("draws each word as often as its probability says", () => {
    const { x, classWeight, classBias, weight, bias } = someInputs();
    const R = 40_000;
    const row = x.toArray().slice(0, 5);
    const rows = tensor(
      Float32Array.from({ length: R * 5 }, (_, i) => row[i % 5]!),
      [R, 5],
    );
    const weights = { classWeight, classBias, weight, bias };
    const generator = new Generator(5);
    const uniform = tensor(
      Float32Array.from({ length: 2 * R }, () => generator.uniform()),
      [R, 2],
    );
    const counts = new Float64Array(30);
    for (const word of classSample({ x: rows, ...weights }, classes, uniform).toArray()) counts[word]!++;
    const one = { x: tensor(row, [1, 5]), ...weights };
    const logProbs = classLogProbs(one, classes, tensor(classes.starts)).toArray();
    counts.forEach((count, word) => {
      const p = Math.exp(logProbs[word]!);
      expect(Math.abs(count / R - p)).toBeLessThan(4.5 * Math.sqrt((p * (1 - p)) / R) + 1e-6);
    });
  });
});

/** What has its place in the engine, as the direct connections of a model. */
function constantParameter(t: Tensor): Tensor {
  const made = parameter(t.toArray(), t.shape);
  made.requiresGrad = false;
  return made;
}

describe("direct connections", () => {
  const learn = { learningRate: 0.5, weightDecay: 0.01 };
  const learnt = (options: ClassCrossEntropyOptions) => () =>
    step(() => {
      const { weight, ...inputs } = someInputs();
      const direct = constantParameter(inputs.direct);
      const { hashes } = ngramHashes(tensor(tokens, [T, N]), tensor(before, [1, N]), ORDERS);
      const trained = { ...inputs, weight: tensor(weight.toArray(), [30, 5], { requiresGrad: true }) };
      classCrossEntropy({ ...trained, direct, hashes }, tensor(targets, [T, N]), classes, options).backward();
      return direct;
    });

  it("learn by SGD, as the reference has it", () => {
    const before = someInputs().direct.toArray();
    const expected = withReference(learnt({ learn })).toArray();
    expectClose("direct", learnt({ learn })().toArray(), expected, 1e-5);
    expect(expected.filter((w, i) => w !== before[i]).length).toBeGreaterThan(20);
    expect(learnt({})().toArray()).toEqual(before);
  });

  it("learn what finite differences say, where no two n-grams share a weight", () => {
    withReference(() => {
      const hashes = tensor(int(11), [1, 1]);
      const { x: _, direct, ...rest } = someInputs();
      const inputs = { ...rest, x: tensor(Float64Array.of(1, -1, 0.5, 2, 0), [1, 5]), hashes };
      const loss = (values: ArrayLike<number>) =>
        classCrossEntropy(
          { ...inputs, direct: tensor(Float64Array.from(values)) },
          tensor(int(5)),
          classes,
        ).item();
      const start = direct.toArray();
      const numeric = Float64Array.from(start, (_, i) => {
        const moved = (by: number) => loss(start.map((v, j) => (i === j ? v + by : v)));
        return (moved(1e-6) - moved(-1e-6)) / 2e-6;
      });
      const after = step(() => {
        const weight = tensor(inputs.weight.toArray(), [30, 5], { requiresGrad: true });
        const own = constantParameter(tensor(start));
        const learn = { learningRate: 1, weightDecay: 0 };
        classCrossEntropy({ ...inputs, weight, direct: own }, tensor(int(5)), classes, { learn }).backward();
        return own;
      }).toArray();
      expectClose(
        "step",
        start.map((v, i) => v - after[i]!),
        numeric,
        1e-6,
      );
    });
  });
});

describe("ngramHashes", () => {
  const hashesOf = (tokens: Int32Array, T: number, before: ArrayLike<number>) => {
    const { hashes, next } = ngramHashes(
      tensor(tokens, [T, 1]),
      tensor(Float32Array.from(before), [before.length, 1]),
      4,
    );
    return { hashes: [...hashes.toArray()], next: [...next.toArray()] };
  };

  it("agrees with the reference", () => {
    const once = () => {
      const { hashes, next } = ngramHashes(tensor(tokens, [T, N]), tensor([-1, -1, -1, 3], [2, N]), 4);
      return [...hashes.toArray(), ...next.toArray()];
    };
    expect(once()).toEqual(withReference(once));
  });

  it("does not depend on how a text is cut, and ends where the text begins", () => {
    const text = int(5, 6, 7, 5, 6, 7, 7);
    const whole = hashesOf(text, 7, [-1, -1, -1]);
    const first = hashesOf(text.slice(0, 2), 2, [-1, -1, -1]);
    const rest = hashesOf(text.slice(2), 5, first.next);
    expect([...first.hashes, ...rest.hashes]).toEqual(whole.hashes);
    expect(first.next).toEqual([-1, 5, 6]);
    expect(rest.next).toEqual([6, 7, 7]);
    expect(whole.hashes.slice(0, 4).map((h) => h !== 0)).toEqual([true, true, false, false]);
    // 5 6 7 stands there twice, and then something else.
    expect(whole.hashes.slice(4 * 5, 4 * 6)).toEqual(whole.hashes.slice(4 * 2, 4 * 3));
    expect(whole.hashes[4 * 6 + 2]).not.toBe(whole.hashes[4 * 5 + 2]);
  });
});

it("says what does not fit", () => {
  const { x, classWeight, weight, direct } = someInputs();
  const given = tensor(targets, [T, N]);
  const inputs = { x, classWeight, weight };
  const refused = (f: () => unknown) => expect(f);
  refused(() =>
    classCrossEntropy(inputs, tensor(int(30, 0, 0, 0, 0, 0), [T, N]), classes),
  ).toThrowErrorMatchingInlineSnapshot(
    `[DataError: crossEntropy: target 30 is outside the vocabulary of 30]`,
  );
  refused(() => classCrossEntropy(inputs, tensor(targets), classes)).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: classCrossEntropy: targets must be [3, 2], got [6]]`,
  );
  refused(() =>
    classCrossEntropy({ ...inputs, weight: classWeight }, given, classes),
  ).toThrowErrorMatchingInlineSnapshot(`[ShapeError: classCrossEntropy: weight must be [30, 5], got [4, 5]]`);
  refused(() =>
    classCrossEntropy({ ...inputs, classWeight: weight }, given, classes),
  ).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: classCrossEntropy: classWeight must be [4, 5], got [30, 5]]`,
  );
  refused(() =>
    classCrossEntropy({ ...inputs, x: zeros([3, 0]) }, given, classes),
  ).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: classCrossEntropy: x must be [..., hidden], got [3, 0]]`,
  );
  refused(() => classCrossEntropy({ ...inputs, direct }, given, classes)).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: classCrossEntropy: hashes must be [3, 2, orders], got []]`,
  );
  refused(() =>
    classCrossEntropy({ ...inputs, direct: zeros([5]) }, given, classes),
  ).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: classCrossEntropy: direct must have 21 weights or more, got [5]]`,
  );
  refused(() => classSample(inputs, classes, zeros([T, N]))).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: classSample: uniform must be [3, 2, 2], got [3, 2]]`,
  );
  refused(() => ngramHashes(tensor(tokens), zeros([1, 2]), 3)).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: ngramHashes: tokens must be [time, batch], got [6]]`,
  );
  refused(() => wordClasses([0, 4, 4], 30)).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: wordClasses: classes must begin at word 0 and have a word each, up to 30, got one from 4 to 4]`,
  );
  refused(() => wordClasses([1, 4], 30)).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: wordClasses: classes must begin at word 0 and have a word each, up to 30, got one from 1 to 4]`,
  );
});
