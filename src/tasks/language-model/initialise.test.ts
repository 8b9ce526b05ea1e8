import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CharTokenizer } from "../../data/text/char-tokenizer.ts";
import { manualSeed } from "../../tensor/random.ts";
import { makeConfig, type NetworkConfig } from "./config.ts";
import type { InitialisedEvent, LanguageModelEvent } from "./events.ts";
import { initialise } from "./initialise.ts";
import { LanguageModelNetwork } from "./network.ts";
import type { LanguageModelOptions, TextSource } from "./options.ts";
import { LanguageModel } from "./task.ts";

const source = { text: "the quick brown fox jumps over the lazy dog\n".repeat(40) };
const target = { text: "The dog & the fox: both lazy!\n".repeat(40) };
const once: LanguageModelOptions = { batchSize: 4, seqLength: 16, epochs: 1, learningRate: 0.01 };

let root: string;
let folder: string;
let lm: LanguageModel;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "unrolled-"));
  folder = join(root, "model");
  const size = { cell: "gru", hiddenSize: 24, embeddingSize: 16, numLayers: 1, dropout: 0.1 } as const;
  lm = await LanguageModel.train(source, { ...once, ...size, epochs: 8, out: folder });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A training on the target text and all it told. */
async function train(options: LanguageModelOptions, text: TextSource = target) {
  const events: LanguageModelEvent[] = [];
  const model = await LanguageModel.train(text, {
    ...once,
    ...options,
    onProgress: (event) => events.push(event),
  });
  return { model, events, initialised: events[0] as InitialisedEvent };
}

async function problem(options: LanguageModelOptions, text: TextSource = target): Promise<string> {
  try {
    await LanguageModel.train(text, { ...once, ...options });
  } catch (error) {
    return String(error).replaceAll(root, "…");
  }
  return "none";
}

describe("initialise", () => {
  const config: Omit<NetworkConfig, "vocabularySize"> = {
    embeddingSize: 3,
    cell: "lstm",
    hiddenSize: 3,
    numLayers: 2,
    dropout: 0,
    tieWeights: false,
  };
  const make = (text: string, seed: number, tieWeights = false) => {
    manualSeed(seed);
    const tokenizer = CharTokenizer.of(text);
    const network = new LanguageModelNetwork({ ...config, tieWeights, vocabularySize: tokenizer.size });
    return { name: text, network, tokenizer, config: makeConfig(network.config, undefined) };
  };

  for (const tieWeights of [false, true]) {
    it(`gives each token its own rows, wherever they are${tieWeights ? ", once if they are tied" : ""}`, () => {
      const from = make("cdex", 1, tieWeights);
      const { network, tokenizer } = make("abcdz", 2, tieWeights);
      const fresh = network.stateDict();
      const event = initialise(network, tokenizer, from);
      const old = from.network.stateDict();
      const perToken = ["embedding.weight", "output.bias", ...(tieWeights ? [] : ["output.weight"])];
      for (const [name, parameter] of network.namedParameters()) {
        const values = [...parameter.toArray()];
        const before = [...old.get(name)!.toArray()];
        if (!perToken.includes(name)) {
          expect([name, values]).toEqual([name, before]);
          continue;
        }
        const width = values.length / 5;
        const random = [...fresh.get(name)!.toArray()];
        // a, b and z are new; c and d were 0 and 1, and are 2 and 3.
        expect(values).toEqual([
          ...random.slice(0, 2 * width),
          ...before.slice(0, 2 * width),
          ...random.slice(4 * width),
        ]);
      }
      expect(event).toEqual({
        type: "initialised",
        from: "cdex",
        shared: 2,
        added: { count: 3, tokens: ["a", "b", "z"] },
        dropped: { count: 2, tokens: ["e", "x"] },
        changed: {},
      });
    });
  }
});

describe("initFrom", () => {
  it("takes over the architecture, and lists what is different", async () => {
    const { model, initialised } = await train({ initFrom: folder, dropout: 0 });
    expect(model.config.network).toEqual({ ...lm.config.network, dropout: 0, vocabularySize: 19 });
    expect({ ...initialised, from: "…" }).toMatchInlineSnapshot(`
      {
        "added": {
          "count": 4,
          "tokens": [
            "!",
            "&",
            ":",
            "T",
          ],
        },
        "changed": {
          "dropout": {
            "from": 0.1,
            "to": 0,
          },
        },
        "dropped": {
          "count": 13,
          "tokens": [
            "c",
            "i",
            "j",
            "k",
            "m",
            "n",
            "p",
            "q",
            "r",
            "s",
            "u",
            "v",
            "w",
          ],
        },
        "from": "…",
        "shared": 15,
        "type": "initialised",
      }
    `);
  });

  it("begins where the model is", async () => {
    const { events } = await train({ initFrom: lm, seed: 5 }, source);
    const first = events.find((event) => event.type === "step")!;
    expect(first.loss).toBeLessThan(1);
    const again = await train({ initFrom: folder, seed: 5 }, source);
    expect(again.model.network.stateDict()).toEqual(
      (await train({ initFrom: lm, seed: 5 }, source)).model.network.stateDict(),
    );
  });

  it("leaves the model it starts from as it was", async () => {
    const before = lm.network.stateDict();
    await train({ initFrom: lm });
    expect(lm.network.stateDict()).toEqual(before);
  });

  it("can keep the vocabulary", async () => {
    const text = { text: "lazy fox\n".repeat(60) };
    const { model, initialised } = await train({ initFrom: folder, keepTokenizer: true }, text);
    expect(model.tokenizer.toJSON()).toEqual(lm.tokenizer.toJSON());
    expect(initialised).toMatchObject({
      shared: lm.tokenizer.size,
      added: { count: 0 },
      dropped: { count: 0 },
    });
    expect(await problem({ initFrom: folder, keepTokenizer: true })).toMatchInlineSnapshot(`
      "DataError: text: holds characters the model has never seen: "T" (U+0054), "&" (U+0026), ":" (U+003A), "!" (U+0021)
      hint: its vocabulary is the 28 characters of the text it was trained on; a model of unit "byte" takes any text"
    `);
  });

  it("reads words as the model does", async () => {
    const words = {
      unit: "word",
      split: "punctuation",
      lowercase: true,
      hiddenSize: 8,
      numLayers: 1,
    } as const;
    const base = await LanguageModel.train(source, { ...once, ...words });
    const { model, initialised } = await train({ initFrom: base });
    expect(model.tokenizer.toJSON()).toMatchObject({ unit: "word", split: "punctuation", lowercase: true });
    expect(initialised).toMatchObject({ shared: 6, added: { tokens: ["!", "&", ":", "both"] }, changed: {} });
    const split = await train({ initFrom: base, split: "whitespace" });
    expect(split.initialised.changed).toEqual({ split: { from: "punctuation", to: "whitespace" } });
  });

  it("can train the rest around what is frozen", async () => {
    const { model } = await train({ initFrom: lm, freeze: ["rnn.*"], weightDecay: 0.1, ema: 0.9 });
    const [before, after] = [lm.network.stateDict(), model.network.stateDict()];
    for (const [name, t] of after) {
      if (name.startsWith("rnn.")) expect([name, t.toArray()]).toEqual([name, before.get(name)!.toArray()]);
    }
    expect(model.config.training).toMatchObject({ freeze: ["rnn.*"], ema: 0.9 });
  });

  it("with frozen and averaged weights is resumed exactly, without the model it began from", async () => {
    const options = { freeze: ["embedding.*"], ema: 0.9, epochs: 3, validateEvery: 5 };
    const whole = await train({ ...options, initFrom: folder });
    const start = join(root, "start");
    await lm.save(start);
    const controller = new AbortController();
    const out = join(root, "resumed");
    await LanguageModel.train(target, {
      ...{ ...once, ...options, initFrom: start, out, signal: controller.signal },
      onProgress(event) {
        if (event.type === "validation" && event.step === 10) controller.abort();
      },
    });
    rmSync(start, { recursive: true });
    const resumed = await LanguageModel.train(target, { out, resume: true });
    expect(resumed.network.stateDict()).toEqual(whole.model.network.stateDict());
  });

  it("refuses what does not fit", async () => {
    const initFrom = folder;
    expect(
      await Promise.all([
        problem({ initFrom, hiddenSize: 32, embeddingSize: 8, numLayers: 2 }),
        problem({ initFrom, cell: "lstm" }),
        problem({ initFrom, unit: "word" }),
        problem({ initFrom, keepTokenizer: true, unit: "char", minCount: 2 }),
        problem({ keepTokenizer: true }),
        problem({ initFrom: join(root, "nowhere") }),
        problem({ initFrom: 7 as unknown as string }),
        problem({ initFrom, freeze: ["embeding.weight"] }),
        problem({ ema: 1 }),
      ]),
    ).toMatchInlineSnapshot(`
      [
        "OptionError: LanguageModel.train: initFrom: …/model does not fit the network that was asked for:
        embedding.weight must be [19, 8], got [19, 16]
        rnn.weight_ih_l0 must be [96, 8], got [72, 16]
        rnn.weight_hh_l0 must be [96, 32], got [72, 24]
        rnn.bias_ih_l0 must be [96], got [72]
        rnn.bias_hh_l0 must be [96], got [72]
        rnn.weight_ih_l1 is missing
        rnn.weight_hh_l1 is missing
        rnn.bias_ih_l1 is missing
        rnn.bias_hh_l1 is missing
        output.weight must be [19, 32], got [19, 24]
      hint: leave out what is not the model's: embeddingSize 8 (it has 16), hiddenSize 32 (it has 24), numLayers 2 (it has 1)",
        "OptionError: LanguageModel.train: initFrom: …/model does not fit the network that was asked for:
        rnn.weight_ih_l0 must be [96, 16], got [72, 16]
        rnn.weight_hh_l0 must be [96, 24], got [72, 24]
        rnn.bias_ih_l0 must be [96], got [72]
        rnn.bias_hh_l0 must be [96], got [72]
      hint: leave out what is not the model's: cell lstm (it has gru)",
        "OptionError: LanguageModel.train: unit must be char, as that of initFrom, got word",
        "OptionError: LanguageModel.train: minCount is for unit word, got unit char",
        "OptionError: LanguageModel.train: keepTokenizer needs initFrom, the model whose vocabulary is kept",
        "FileError: …/nowhere/config.json: cannot be read: there is no such file or folder",
        "OptionError: LanguageModel.train: initFrom must be the folder of a model, or a LanguageModel",
        "OptionError: freeze: no parameter is called "embeding.weight" (did you mean embedding.weight?)",
        "OptionError: LanguageModel.train: ema must be a number 0 or more and below 1, got 1",
      ]
    `);
  });
});
