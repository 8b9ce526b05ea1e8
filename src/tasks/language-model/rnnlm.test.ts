/** The parts of Mikolov's RNNLM toolkit: classes, direct connections, block BPTT, independent sentences, and the rest. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { problem } from "../../../test/problem.ts";
import { step } from "../../autograd/step.ts";
import { LanguageModelBatches } from "../../data/text/stream-batches.ts";
import type { Tokenizer } from "../../data/text/tokenizer.ts";
import { manualSeed } from "../../tensor/random.ts";
import { tensor } from "../../tensor/tensor.ts";
import { expectClose, relativeError } from "../../testing/check-op.ts";
import { NgramModel } from "../ngram-model/model.ts";
import { binWords } from "./classes.ts";
import type { NetworkConfig } from "./config.ts";
import { tokenLosses } from "./evaluate.ts";
import type { LanguageModelEvent } from "./events.ts";
import { countParameters, LanguageModelNetwork, prepareNetwork } from "./network.ts";
import type { LanguageModelOptions } from "./options.ts";
import { LanguageModel } from "./task.ts";

const V = 65;
const config: NetworkConfig = {
  vocabularySize: V,
  embeddingSize: 24,
  cell: "rnn",
  nonlinearity: "sigmoid",
  hiddenSize: 40,
  numLayers: 1,
  dropout: 0,
  tieWeights: false,
  classes: [0, 1, 5, 20],
};
const tokens = Int32Array.from({ length: 400 }, (_, i) => (i * i + (i >> 3)) % V);

beforeAll(() => prepareNetwork(config));

function network(change: Partial<NetworkConfig> = {}): LanguageModelNetwork {
  manualSeed(1);
  const made = new LanguageModelNetwork({ ...config, ...change });
  const direct = made.namedParameters().get("output.direct");
  direct?.set(Float32Array.from({ length: direct.size }, (_, i) => Math.sin(i * i)));
  return made.eval();
}

const changes: Partial<NetworkConfig>[] = [
  {},
  { direct: 5000, directOrder: 4 },
  { compression: 16, cell: "lstm", numLayers: 2 },
  { classes: [0], direct: 300, directOrder: 2 },
  { direct: 5000, directOrder: 3, resetAt: 3, cell: "gru" },
];

describe.each(changes)("a network with %j", (change) => {
  const losses = (chunk?: number) =>
    [...tokenLosses(network(change), tokens, chunk)].flatMap((part) => [...part]);

  it("has as many parameters as counted beforehand", () => {
    const count = network(change)
      .parameters()
      .reduce((sum, { size }) => sum + size, 0);
    expect(countParameters({ ...config, ...change })).toBe(count);
  });

  it("scores the same in chunks of any size", () => {
    const whole = losses();
    expect(whole).toHaveLength(399);
    for (const chunk of [1, 7, 64]) expect(losses(chunk)).toEqual(whole);
  });

  it("gives every word, in a stream, a probability of a distribution, which is the one that is scored", () => {
    const stream = network(change).stream();
    const expected = losses();
    for (let t = 0; t < 100; t++) {
      const logProbs = stream.step(tokens[t]!);
      const sum = Float64Array.from(logProbs).reduce((total, v) => total + Math.exp(v), 0);
      expect(Math.abs(sum - 1)).toBeLessThan(1e-6);
      expect(logProbs[tokens[t + 1]!]).toBeCloseTo(-expected[t]!, 4);
    }
  });
});

describe("block BPTT", () => {
  const [T, TAU] = [6, 4];

  it.each<Partial<NetworkConfig>>([{}, { cell: "lstm", numLayers: 2 }, { direct: 999, directOrder: 4 }])(
    "has the losses of windows without, and gradients through the tokens before: %j",
    (change) => {
      const made = network(change);
      const of = (bptt: number) => new LanguageModelBatches(tokens, { batchSize: 3, seqLength: T, bptt });
      const [plain, deep] = [of(0), of(TAU)];
      expect(deep.length).toBe(plain.length);
      let states: Parameters<LanguageModelNetwork["loss"]>[1][] = [undefined, undefined];
      for (let i = 0; i < 4; i++) {
        const [a, b] = [plain, deep].map((batches, k) => {
          made.parameters().forEach(({ storage }) => {
            storage.grad = undefined;
          });
          return step(() => {
            const batch = batches.at(0, i);
            const { loss, state } = made.loss(batch, states[k]);
            loss.backward();
            const gradient = made.namedParameters().get("rnn.weight_hh_l0")!.grad!.toArray();
            return { loss, state, gradient, batch };
          });
        }) as [never, never] as {
          loss: { item(): number };
          state: never;
          gradient: Float32Array;
          batch: never;
        }[];
        states = [a!.state, b!.state];
        expect(b!.loss.item()).toBeCloseTo(a!.loss.item(), 5);
        // Both begin at the beginning; from then on what stands before has its part.
        const difference = relativeError(b!.gradient, a!.gradient);
        if (i === 0) expect(difference).toBeLessThan(1e-5);
        else expect(difference).toBeGreaterThan(1e-4);
      }
    },
  );

  it("has the gradient that one long window has, from the state that it began with", () => {
    const made = network();
    const batches = new LanguageModelBatches(tokens, { batchSize: 2, seqLength: T, bptt: TAU });
    const first = step(() => made.loss(batches.at(0, 0)));
    const batch = batches.at(0, 1);
    // Inputs T − TAU to 2·T of both streams; only the last T have a target.
    expect(batch.inputs.shape).toEqual([TAU + T, 2]);
    const long = batch.inputs;
    const targets = tensor(
      Int32Array.from({ length: 2 * (TAU + T) }, (_, i) => {
        return i < 2 * TAU ? -100 : batch.targets.toArray()[i - 2 * TAU]!;
      }),
      [TAU + T, 2],
    );
    const gradient = (f: () => { loss: { backward(): void } }) => {
      made.parameters().forEach(({ storage }) => {
        storage.grad = undefined;
      });
      step(() => {
        f().loss.backward();
        return {};
      });
      return made.namedParameters().get("rnn.weight_hh_l0")!.grad!.toArray();
    };
    const inParts = gradient(() => made.loss(batch, first.state));
    const whole = gradient(() => made.loss({ inputs: long, targets }, first.state));
    expectClose("gradient", inParts, whole, 1e-5);
  });

  it("may reach back further than a window is long", () => {
    const batches = new LanguageModelBatches(tokens, { batchSize: 1, seqLength: 2, bptt: 5 });
    const made = network();
    let state: Parameters<LanguageModelNetwork["loss"]>[1];
    const losses: number[] = [];
    for (let i = 0; i < 10; i++) {
      const done = step(() => made.loss(batches.at(0, i), state, { reduction: "none" }));
      state = done.state;
      losses.push(...done.loss.toArray());
    }
    const expected = [...tokenLosses(made, tokens)].flatMap((part) => [...part]).slice(0, 20);
    expectClose("losses", losses, expected, 1e-5);
  });
});

describe("classes", () => {
  const counts = [50, 10, 10, 10, 5, 5, 5, 2, 2, 1];

  it("have about the same mass, of frequencies or of their roots", () => {
    // 50 of 100 is more than a quarter and a half: the next classes come at once, until the sum is caught up with.
    expect(binWords(counts, 4, "frequency")).toEqual([0, 1, 2, 4]);
    expect(binWords(counts, 4, "sqrt-frequency")).toEqual([0, 1, 4, 6]);
  });

  it("are no more than asked for, and as few as one", () => {
    for (const binning of ["frequency", "sqrt-frequency"] as const) {
      expect(binWords(counts, 1, binning)).toEqual([0]);
      expect(binWords(counts, 100, binning)).toHaveLength(10);
    }
  });
});

const lines = Array.from(
  { length: 120 },
  (_, i) => `the ${["cat", "dog", "ox"][i % 3]} ${["sat", "ran"][i % 2]} word${i}`,
);
const source = { text: `${lines.join("\n")}\n` };
const small: LanguageModelOptions = {
  ...{ unit: "word", minCount: 1, cell: "rnn", nonlinearity: "sigmoid", hiddenSize: 16, numLayers: 1 },
  ...{ output: "classes", classes: 5, batchSize: 4, seqLength: 5, bptt: 3, epochs: 3, threads: 1 },
};

describe("a model with", () => {
  it("direct connections and a compression layer trains, is kept in a folder's files, and comes back", async () => {
    const options = { ...small, direct: 2000, directOrder: 4, directRate: 2, compression: 8 };
    const lm = await LanguageModel.train(source, { ...options, optimizer: "sgd", learningRate: 1 });
    const direct = lm.network.namedParameters().get("output.direct")!.toArray();
    expect(direct.some((w) => w !== 0)).toBe(true);
    expect(lm.config.network).toMatchObject({ direct: 2000, directOrder: 4, compression: 8 });
    const again = await LanguageModel.load({
      config: lm.files().config,
      tokenizer: lm.files().tokenizer,
      weights: lm.files().weights,
    });
    expect(again.score("the dog sat")).toEqual(lm.score("the dog sat"));
    expect(again.generate("the", { seed: 3 })).toBe(lm.generate("the", { seed: 3 }));
  });

  it("all of it can be the start of another, of the same words", async () => {
    const options = { ...small, direct: 2000, independent: true, compression: 8 };
    const { bptt: _, ...first } = options;
    const lm = await LanguageModel.train(source, first);
    const changed: Record<string, unknown>[] = [];
    const other = { text: "the bird sat\nthe dog ran\n".repeat(20) };
    const more = { initFrom: lm, batchSize: 4, epochs: 1, learningRate: 1e-9 };
    const next = await LanguageModel.train(other, {
      ...{ ...more, keepTokenizer: true, validFraction: 0 },
      onProgress: (event) => event.type === "initialised" && changed.push(event.changed),
    });
    expect(next.config.network).toEqual(lm.config.network);
    expect(next.config.network).toMatchObject({ direct: 2000, compression: 8, resetAt: 1 });
    expect(changed).toEqual([{}]);
    // Classes of this text would be others.
    expect(next.score("the cat sat").logProb).toBeCloseTo(lm.score("the cat sat").logProb, 4);
    expect(await problem(LanguageModel.train(other, { ...more, minCount: 1 }))).toMatchInlineSnapshot(`
      "OptionError: LanguageModel.train: initFrom: the model has output classes, which fits no vocabulary but its own
      hint: keepTokenizer keeps the model's vocabulary"
    `);
  });

  it("goes on with its classes where a training of them stopped", async () => {
    const lm = await LanguageModel.train(source, small);
    const text = { text: "the bird sat\nthe dog ran\n".repeat(20) };
    const out = mkdtempSync(join(tmpdir(), "unrolled-"));
    const options = { initFrom: lm, keepTokenizer: true, batchSize: 4, seqLength: 5, validFraction: 0 };
    await LanguageModel.train(text, { ...options, maxSteps: 2, out });
    const gone = await LanguageModel.train(text, { out, resume: true, maxSteps: 3, initFrom: lm });
    expect(gone.config.network.classes).toEqual(lm.config.network.classes);
    rmSync(out, { recursive: true });
  });

  it("direct connections learns n-grams that a net too small cannot", async () => {
    const rates = { optimizer: "sgd", learningRate: 0.5, epochs: 5, hiddenSize: 2 } as const;
    const loss = async (direct: number) =>
      (await (await LanguageModel.train(source, { ...small, ...rates, direct })).evaluate(source)).loss;
    expect(await loss(4000)).toBeLessThan(0.9 * (await loss(0)));
  });

  it("independent sentences scores each as if it were alone", async () => {
    const { bptt: _, ...options } = small;
    const lm = await LanguageModel.train(source, { ...options, independent: true, direct: 500 });
    const { logProb } = lm.score("the cat sat\nthe dog ran\nan ox");
    const apart = ["the cat sat\n", "the dog ran\n", "an ox"].map((line) => lm.score(line).logProb);
    expect(logProb).toBeCloseTo(
      apart.reduce((a, b) => a + b),
      4,
    );
    const { loss } = await lm.evaluate({ text: "\nthe cat sat\nthe dog ran\n" });
    expect(loss * 8).toBeCloseTo(-(apart[0]! + apart[1]!), 4);
    // What a stream wrote before a line break has no say in what it writes after it.
    const streams = ["the cat", "an ox ran"].map((text) => {
      const stream = lm.network.stream();
      for (const token of lm.tokenizer.encode(text)) stream.step(token);
      return stream.step(lm.tokenizer.lineBreak!).slice();
    });
    expect(streams[0]).toEqual(streams[1]);
  });

  it("rare words that share a probability finds each as likely as that", async () => {
    const train = (shareRare: boolean) => LanguageModel.train(source, { ...small, minCount: 2, shareRare });
    const [shared, merged] = [await train(true), await train(false)];
    // All of word0, word1, … occur once; a tenth is held out.
    expect(shared.tokenizer.rareWords).toBe(108);
    expect(merged.tokenizer.rareWords).toBeUndefined();
    const of = (lm: LanguageModel) => lm.score("the cat sat word7").logProb;
    expect(of(shared)).toBeCloseTo(of(merged) - Math.log(108), 4);
    const few = { text: "the cat sat\nword7 sat\n" };
    const ranked = async (lm: LanguageModel) => (await lm.evaluate(few, { ranks: true })).loss;
    expect(await ranked(shared)).toBeCloseTo((await ranked(merged)) + Math.log(108) / 4, 4);
    const ngram = (tokenizer: Tokenizer) => NgramModel.train(source, { order: 2, tokenizer });
    const [even, one] = [await ngram(shared.tokenizer), await ngram(merged.tokenizer)];
    const logProb = (model: NgramModel) => model.score("the cat sat word7").logProb;
    expect(logProb(even)).toBeCloseTo(logProb(one) - Math.log(108), 9);
    const { tokenizer } = await LanguageModel.load(shared.files());
    expect(tokenizer.rareWords).toBe(108);
  });

  it("a halving schedule ends by itself", async () => {
    const rates: number[] = [];
    let done = "";
    const onProgress = (event: LanguageModelEvent) => {
      if (event.type === "step") rates[event.epoch - 1] = event.learningRate;
      if (event.type === "done") done = event.reason;
    };
    const halving = { schedule: "halving", optimizer: "sgd", minImprovement: 1.5, epochs: 20 } as const;
    await LanguageModel.train(source, { ...small, ...halving, onProgress });
    // Never half as good again: halved after the second epoch, over after the third.
    expect(rates).toEqual([1, 1, 0.5]);
    expect(done).toBe("early-stopping");
  });
});

describe("dynamic evaluation", () => {
  it("learns what comes again and again, and leaves the model as it was", async () => {
    const lm = await LanguageModel.train(source, { ...small, direct: 1000 });
    const news = { text: "an ox ran cat\n".repeat(100) };
    const plain = await lm.evaluate(news);
    const dynamic = await lm.evaluate(news, { dynamic: 0.1 });
    expect(dynamic.tokens).toBe(plain.tokens);
    expect(dynamic.loss).toBeLessThan(0.8 * plain.loss);
    expect(await lm.evaluate(news)).toEqual(plain);
    // The first window is scored before anything was learnt.
    const short = { text: "an ox ran\n" };
    expect((await lm.evaluate(short, { dynamic: 10 })).loss).toBeCloseTo((await lm.evaluate(short)).loss, 5);
  });
});

describe("sample", () => {
  it.each<LanguageModelOptions>([{ direct: 500 }, { output: "softmax" }])(
    "writes texts whose words are as frequent as the model finds them: %j",
    async (change) => {
      const { classes: _, ...options } = small;
      const lm = await LanguageModel.train(source, { ...options, epochs: 8, ...change });
      const texts = await lm.sample({ tokens: 3000, streams: 300, seed: 2 });
      expect(texts).toHaveLength(300);
      expect(await lm.sample({ tokens: 900, streams: 300, seed: 2 })).toEqual(
        texts.map((text) => lm.tokenizer.decode(lm.tokenizer.encode(text).slice(0, 3))),
      );
      // The first word of each text, against what the model says of a line's first word.
      const stream = lm.network.stream();
      const logits = stream.step(lm.tokenizer.lineBreak!);
      const total = Float64Array.from(logits).reduce((sum, v) => sum + Math.exp(v), 0);
      const the = Math.exp(logits[lm.tokenizer.encode("the")[0]!]!) / total;
      const first = texts.filter((text) => text.startsWith("the")).length / 300;
      expect(Math.abs(first - the)).toBeLessThan(4 * Math.sqrt((the * (1 - the)) / 300));
    },
  );
});
