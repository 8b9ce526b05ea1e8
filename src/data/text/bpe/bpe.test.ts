import { describe, expect, it } from "vitest";
import { Generator } from "../../../tensor/random.ts";
import { tokenizerFromJSON } from "../tokenizer-json.ts";
import { BpeTokenizer } from "./bpe-tokenizer.ts";
import { byteCharacters, toByteCharacters, toBytes } from "./byte-level.ts";
import { Heap } from "./heap.ts";
import { mergeSymbols, pairKey } from "./merges.ts";
import { BpeTrainer, trainBpe } from "./train.ts";

const text =
  "low low low low low lower lower newest newest newest newest newest newest widest widest widest\n";

interface File {
  added_tokens: unknown[];
  model: { vocab: Record<string, number>; merges: [string, string][] };
}
const fileOf = (tokenizer: BpeTokenizer) => tokenizer.toJSON() as unknown as File;

describe("learning", () => {
  it("merges what is most frequent: the words of Sennrich et al. 2016", () => {
    const tokenizer = trainBpe([text], { byteLevel: false, vocabularySize: 30 });
    const { merges } = fileOf(tokenizer).model;
    // 9 times es and est, 7 times lo; of ew and ne, 6 times each, the one of the earlier letters.
    expect(merges.slice(0, 5).map((merge) => merge.join(" "))).toEqual([
      "e s",
      "es t</w>",
      "l o",
      "e w",
      "n ew",
    ]);
    expect(tokenizer.decode(tokenizer.encode("lowest newer  low"))).toBe("lowest newer low");
    expect([...tokenizer.encode("x")]).toEqual([tokenizer.unknown]);
  });

  it("is the same however the text comes in pieces, and takes any text", () => {
    const lines = `${text}naïve café\n\n我今天去超市 🌊\n${text}`.split(/(?<=\n)/);
    const whole = trainBpe([lines.join("")], { vocabularySize: 265 });
    expect(trainBpe(lines, { vocabularySize: 265 }).toJSON()).toEqual(whole.toJSON());
    expect(whole.size).toBe(265);
    for (const sample of ["", "🌊 und \u0000 \ufeff我\r\n\n x", lines.join(""), "\n\n\n a\n \n"]) {
      expect(whole.decode(whole.encode(sample))).toBe(sample);
      const byLine = sample.split(/(?<=\n)/).flatMap((line) => [...whole.encode(line)]);
      expect(byLine).toEqual([...whole.encode(sample)]);
    }
    expect(whole.unknown).toBeUndefined();
    expect(whole.decode([whole.lineBreak!])).toBe("\n");
  });

  it("ends when nothing is frequent enough", () => {
    expect(trainBpe(["ab ab"], { vocabularySize: 5000 }).size).toBe(256 + 1);
    expect(trainBpe(["ab ab"], { vocabularySize: 5000, minFrequency: 0 }).size).toBe(256 + 2);
    expect(trainBpe([], { vocabularySize: 300 }).size).toBe(256);
  });

  it("puts special tokens first, and lowers letters", () => {
    const tokenizer = trainBpe([text], {
      specialTokens: ["<pad>", "<s>"],
      lowercase: true,
      vocabularySize: 270,
    });
    expect([tokenizer.tokenOf("<pad>"), tokenizer.tokenOf("<s>"), tokenizer.tokenOf("nothing")]).toEqual([
      0,
      1,
      undefined,
    ]);
    expect(tokenizer.encode("LOW<s>low")).toEqual(tokenizer.encode("low<s>low"));
    expect(tokenizer.decode(tokenizer.encode("a<s>b"))).toBe("ab");
    expect(trainBpe([text], { byteLevel: false, specialTokens: ["<s>"] }).unknown).toBe(0);
  });

  it("knows tokens that are called as parts of JavaScript are", async () => {
    const words = "constructor __proto__ prototype 12 ".repeat(3);
    const tokenizer = trainBpe([words], { byteLevel: false });
    const again = await tokenizerFromJSON(JSON.parse(JSON.stringify(tokenizer)));
    expect(again.size).toBe(tokenizer.size);
    expect(again.decode(again.encode("constructor prototype __proto__ 12"))).toBe(
      "constructor prototype __proto__ 12",
    );
    expect(again.encode("constructor").length).toBe(1);
  });

  it("refuses options that are none", () => {
    expect(() => new BpeTrainer({ vocabularySize: 1 })).toThrowErrorMatchingInlineSnapshot(
      `[OptionError: bpe: vocabularySize must be a whole number from 2 to 1048576, got 1]`,
    );
    expect(() => new BpeTrainer({ specialTokens: [""] })).toThrowErrorMatchingInlineSnapshot(
      `[OptionError: bpe: specialTokens.0 must not be empty]`,
    );
  });
});

describe("merging", () => {
  const random = new Generator(5);
  const rules = new Map(
    Array.from({ length: 60 }, (_, rank) => [
      pairKey(random.below(12), random.below(12)),
      { rank, token: random.below(12) },
    ]),
  );
  /** The earliest rule anywhere, leftmost, again and again. */
  function plainly(symbols: number[]): number[] {
    for (;;) {
      let best: { rank: number; place: number; token: number } | undefined;
      for (let place = 0; place + 1 < symbols.length; place++) {
        const rule = rules.get(pairKey(symbols[place]!, symbols[place + 1]!));
        if (rule && (!best || rule.rank < best.rank)) best = { ...rule, place };
      }
      if (!best) return symbols;
      symbols.splice(best.place, 2, best.token);
    }
  }

  it("of long words, which are kept in order, is that of short ones", () => {
    for (let round = 0; round < 200; round++) {
      const symbols = Array.from({ length: random.below(120) }, () => random.below(12));
      expect(mergeSymbols([...symbols], rules)).toEqual(plainly([...symbols]));
    }
  });

  it("of a very long word takes no time", () => {
    const symbols = Array.from({ length: 50_000 }, () => random.below(12));
    const started = performance.now();
    mergeSymbols(symbols, rules);
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  it("takes a heap in order", () => {
    const heap = new Heap<number>((a, b) => a < b);
    const items = Array.from({ length: 500 }, () => random.below(100));
    for (const item of items) heap.push(item);
    expect(items.map(() => heap.pop())).toEqual([...items].sort((a, b) => a - b));
    expect(heap.pop()).toBeUndefined();
  });
});

it("bytes are GPT-2's characters", () => {
  expect(toByteCharacters(" Hé\n")).toBe("ĠHÃ©Ċ");
  expect(new Set(byteCharacters).size).toBe(256);
  expect([...toBytes("ĠHÃ©Ċ")]).toEqual([32, 72, 0xc3, 0xa9, 10]);
  expect(new TextDecoder().decode(toBytes("字"))).toBe("字");
});

describe("decoding piece by piece", () => {
  it("holds a character back until it is whole", () => {
    const tokenizer = trainBpe([], {});
    const tokens = tokenizer.encode("a🌊字");
    const decoder = tokenizer.decoder();
    expect([...tokens].map((token) => decoder.push(token))).toEqual(["a", "", "", "", "🌊", "", "", "字"]);
    decoder.push(tokens[1]!);
    expect(decoder.end()).toBe("\ufffd");
  });

  it("keeps the blank between a text and the words after it", () => {
    const tokenizer = trainBpe([text], { byteLevel: false });
    const decoder = tokenizer.decoder("low");
    const pieces = [...tokenizer.encode("lower newest")].map((token) => decoder.push(token));
    expect(pieces.join("") + decoder.end()).toBe(" lower newest");
  });

  it("refuses what is no token", () => {
    expect(() => trainBpe([], {}).decode([256])).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: decode: token must be a whole number from 0 to 255, got 256]`,
    );
  });
});

describe("tokenizer.json of others", () => {
  const model = { type: "BPE", vocab: { a: 0, b: 1, ab: 2 }, merges: ["a b"] };
  const problem = (json: unknown) => {
    try {
      new BpeTokenizer(json, "tokenizer.json");
    } catch (error) {
      return String(error);
    }
    return "none";
  };

  it("has merges as pairs or as strings, with or without a first line", () => {
    for (const merges of [["a b"], [["a", "b"]], ["#version: 0.2", "a b"]]) {
      expect([...new BpeTokenizer({ model: { ...model, merges } }).encode("abab")]).toEqual([2, 2]);
    }
  });

  it("is refused by the name of what is not supported or does not fit", () => {
    const added = {
      id: 3,
      content: "<s>",
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    };
    const slow = { type: "Split", pattern: { Regex: "(a+)+$" }, behavior: "Isolated", invert: false };
    expect(
      [
        { model: { ...model, type: "Unigram" } },
        { model: { ...model, dropout: 0.1 } },
        { model, truncation: { max_length: 3 } },
        { model, padding: {} },
        { model, normalizer: { type: "Precompiled" } },
        { model, normalizer: { type: "constructor" } },
        { model, normalizer: { type: "Sequence", normalizers: [{ type: "NFC" }, { type: "Nmt" }] } },
        { model, pre_tokenizer: { type: "UnicodeScripts" } },
        { model, pre_tokenizer: slow },
        { model, pre_tokenizer: { type: "Sequence", pretokenizers: [slow] } },
        { model, pre_tokenizer: { type: "Digits" } },
        { model, pre_tokenizer: { type: "Digits", individual_digits: true, more: 1 } },
        { model, pre_tokenizer: { type: "Metaspace", replacement: "ab" } },
        { model, decoder: { type: "CTC" } },
        { model, decoder: "ByteLevel" },
        { model: { ...model, vocab: { a: 0, b: 2, ab: 3 } } },
        { model: { ...model, vocab: { a: 0, b: 0 } } },
        { model: { ...model, vocab: { a: -1 } } },
        { model: { ...model, vocab: {}, merges: [] } },
        { model: { ...model, merges: ["a c"] } },
        { model: { ...model, merges: ["a b c"] } },
        { model: { ...model, merges: [7] } },
        { model: { ...model, unk_token: "<unk>" } },
        { model, added_tokens: [{ ...added, id: 1 }] },
        { model, added_tokens: [{ ...added, id: 7 }] },
        { model, added_tokens: [{ id: 3, content: "<s>" }] },
        { model, words: 1 },
      ].map(problem),
    ).toMatchInlineSnapshot(`
      [
        "FormatError: tokenizer.json: model.type must be BPE, got "Unigram"",
        "FormatError: tokenizer.json: model.dropout is not supported: must be null (merges left out at random)",
        "FormatError: tokenizer.json: truncation is not supported: must be null (texts cut to a length)",
        "FormatError: tokenizer.json: padding is not supported: must be null (texts filled up to a length)",
        "FormatError: tokenizer.json: normalizer: type "Precompiled" is not supported (known are NFC, NFD, NFKC, NFKD, Lowercase, StripAccents, Strip, Replace, Prepend, BertNormalizer, Sequence)",
        "FormatError: tokenizer.json: normalizer: type "constructor" is not supported (known are NFC, NFD, NFKC, NFKD, Lowercase, StripAccents, Strip, Replace, Prepend, BertNormalizer, Sequence)",
        "FormatError: tokenizer.json: normalizer.normalizers.1: type "Nmt" is not supported (known are NFC, NFD, NFKC, NFKD, Lowercase, StripAccents, Strip, Replace, Prepend, BertNormalizer, Sequence)",
        "FormatError: tokenizer.json: pre_tokenizer: type "UnicodeScripts" is not supported (known are ByteLevel, Whitespace, WhitespaceSplit, CharDelimiterSplit, Digits, Punctuation, Split, Metaspace, Sequence)",
        "FormatError: tokenizer.json: pre_tokenizer: the regular expression "(a+)+$" is not supported
      hint: only those of models in wide use are run: another could be made to take for ever",
        "FormatError: tokenizer.json: pre_tokenizer.pretokenizers.0: the regular expression "(a+)+$" is not supported
      hint: only those of models in wide use are run: another could be made to take for ever",
        "FormatError: tokenizer.json: pre_tokenizer: individual_digits is missing",
        "FormatError: tokenizer.json: pre_tokenizer: more is not known (known are type, individual_digits)",
        "FormatError: tokenizer.json: pre_tokenizer: replacement must be one character",
        "FormatError: tokenizer.json: decoder: type "CTC" is not supported (known are ByteLevel, BPEDecoder, Metaspace, ByteFallback, Fuse, Strip, Replace, Sequence)",
        "FormatError: tokenizer.json: decoder: must be an object, got "ByteLevel"",
        "FormatError: tokenizer.json: no token has the number 1",
        "FormatError: tokenizer.json: "a" and "b" have one number, 0",
        "FormatError: tokenizer.json: model.vocab must be an object of tokens and their numbers",
        "FormatError: tokenizer.json: model.vocab must not be empty",
        "FormatError: tokenizer.json: model.merges.0 needs "c", which is not in the vocabulary",
        "FormatError: tokenizer.json: model.merges.0 must be two tokens and a blank, got "a b c"",
        "FormatError: tokenizer.json: model.merges.0 must be "a b" or ["a", "b"]",
        "FormatError: tokenizer.json: model.unk_token "<unk>" is not in the vocabulary",
        "FormatError: tokenizer.json: "b" and "<s>" have one number, 1",
        "FormatError: tokenizer.json: no token has the number 3",
        "FormatError: tokenizer.json: added_tokens.0.single_word is missing",
        "FormatError: tokenizer.json: words is not known (known are version, truncation, padding, added_tokens, normalizer, pre_tokenizer, post_processor, decoder, model)",
      ]
    `);
    expect(problem({ model, added_tokens: [added], post_processor: { type: "RobertaProcessing" } })).toBe(
      "none",
    );
  });
});
