import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Corpus, readCorpus, readTokens } from "./data.ts";
import type { CorpusEvent, LanguageModelEvent } from "./events.ts";
import { checkTrainingOptions, type LanguageModelOptions, type TextSource } from "./options.ts";

// Larger than what is read at a time, so that pieces have borders.
const verse = "The ship — 船 🌊 — sailed on,\nand naïve sailors sang of <unk> whales.\n\n";
const book = Array.from({ length: 8000 }, (_, i) => `${i % 977} ${verse}`)
  .join("")
  .trimEnd();

let root: string;
let cache: string;
const file = (name: string) => join(root, name);

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "unrolled-"));
  writeFileSync(file("book.txt"), book.replaceAll("\n", "\r\n"));
  writeFileSync(file("valid.txt"), "A ‡ sign, 77 whales and ships.\n");
  writeFileSync(file("one.gz"), gzipSync(book.slice(0, 100_003)));
  writeFileSync(file("two.txt"), book.slice(100_003));
});
beforeEach(() => {
  cache = mkdtempSync(join(root, "cache-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const shape: LanguageModelOptions = { batchSize: 7, seqLength: 11 };

/** A corpus that is read from a file of tokens, unless there is so much memory. */
async function read(given: LanguageModelOptions = {}, source: TextSource = file("book.txt"), memory = 0) {
  const events: LanguageModelEvent[] = [];
  const onProgress = (event: LanguageModelEvent) => events.push(event);
  const options = checkTrainingOptions("test", { cache, ...shape, ...given, onProgress });
  const corpus = await readCorpus(source, options, undefined, memory);
  return { corpus, events, done: events.at(-1) as CorpusEvent };
}

/** All there is to know of a corpus, which is closed. */
function contentOf({ tokenizer, train, valid, close }: Corpus) {
  const batches = [];
  for (const i of [0, 1, 2, train.length >> 1, train.length - 1]) {
    const { inputs, targets, first } = train.at(1, i);
    batches.push({ shape: inputs.shape, inputs: inputs.toArray(), targets: targets.toArray(), first });
  }
  const held = valid?.slice(0, valid.length);
  close();
  return { tokenizer: tokenizer.toJSON(), length: train.length, batches, held };
}

describe("a corpus in a file", () => {
  it.each<LanguageModelOptions>([
    {},
    { unit: "byte" },
    { unit: "byte", validFraction: 0.37 },
    { unit: "word" },
    { unit: "word", split: "punctuation", lowercase: true, maxVocabulary: 50, validFraction: 0.2 },
    { unit: "word", split: "segmenter", minCount: 5 },
    { unit: "bpe", vocabularySize: 300 },
    { unit: "bpe", lowercase: true, vocabularySize: 400, validFraction: 0.2 },
    { validFraction: 0 },
    { windows: "shuffled" },
    { validTokens: 1000 },
  ])("is the one in memory, to the last token, with %j", async (options) => {
    const { corpus: small } = await read(options, undefined, 2 ** 25);
    const { corpus: large, done } = await read(options);
    expect(done).toMatchObject({ type: "corpus", found: false });
    const [expected, got] = [contentOf(small), contentOf(large)];
    expect(got).toEqual(expected);
    const { corpus: again, done: second } = await read(options);
    expect(second).toMatchObject({ found: true, path: done.path });
    expect(contentOf(again)).toEqual(expected);
    expect(readdirSync(cache).length).toBe(2);
  });

  it("may have a text of its own to validate on", async () => {
    for (const valid of [file("valid.txt"), { text: "A ‡ sign and so on" }]) {
      for (const unit of ["char", "word"] as const) {
        const { corpus: small } = await read({ unit, valid }, undefined, 2 ** 25);
        const { corpus: large } = await read({ unit, valid });
        expect(contentOf(large)).toEqual(contentOf(small));
      }
    }
  });

  it("may come from several files, packed or not, one of them cut in a line", async () => {
    const { corpus: one } = await read(
      { cache: false },
      { text: `${book.slice(0, 100_003)}\n${book.slice(100_003)}` },
      2 ** 25,
    );
    const { corpus: two } = await read({}, [file("one.gz"), file("two.*")]);
    expect(contentOf(two)).toEqual(contentOf(one));
  });

  it("of which nothing is to be kept leaves nothing", async () => {
    const before = readdirSync(tmpdir()).filter(
      (name) => name.startsWith("unrolled-") && name.endsWith("tmp"),
    );
    const { corpus, done } = await read({ cache: false });
    expect(done.path).toBeUndefined();
    expect(contentOf(corpus)).toEqual(contentOf((await read({}, undefined, 2 ** 25)).corpus));
    const after = readdirSync(tmpdir()).filter(
      (name) => name.startsWith("unrolled-") && name.endsWith("tmp"),
    );
    expect(after).toEqual(before);
    expect(readdirSync(cache)).toEqual([]);
  });

  it("tells how far it is, and can be stopped", async () => {
    const { corpus, events } = await read({ unit: "word" });
    corpus.close();
    const stages = events.flatMap((event) =>
      event.type === "reading" ? [`${event.stage} ${event.progress}`] : [],
    );
    expect(stages.filter((stage) => stage.endsWith(" 1"))).toEqual([
      "hash 1",
      "measure 1",
      "vocabulary 1",
      "tokens 1",
    ]);
    const signal = AbortSignal.abort();
    await expect(read({ signal, unit: "byte" })).rejects.toBe(signal.reason);
    expect(readdirSync(cache).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  it("can be scored by a vocabulary that is there", async () => {
    const { corpus } = await read();
    const whole = { text: book };
    const [small, large] = [
      await readTokens(whole, corpus.tokenizer),
      await readTokens(file("book.txt"), corpus.tokenizer, { cache }, 0),
    ];
    expect(large.tokens.slice(0, large.tokens.length)).toEqual(small.tokens.slice(0, small.tokens.length));
    await expect(readTokens(file("valid.txt"), corpus.tokenizer, { cache }, 0)).rejects.toThrow(
      "valid.txt: holds characters the model has never seen",
    );
    large.close();
    corpus.close();
  });
});

describe("the cache of tokens", () => {
  const text = () => file("changing.txt");
  const tokensFile = () => readdirSync(cache).find((name) => name.endsWith(".tokens"))!;

  it("finds what it has by the content, and makes the rest anew", async () => {
    const found = async (options: LanguageModelOptions = {}) => {
      const { corpus, done } = await read(options, text());
      corpus.close();
      return done.found;
    };
    writeFileSync(text(), book);
    expect([await found(), await found()]).toEqual([false, true]);
    expect([await found({ unit: "word" }), await found({ validFraction: 0.2 })]).toEqual([false, false]);
    utimesSync(text(), 1, 1);
    expect(await found()).toBe(true);
    writeFileSync(text(), book.replace("0 The", "0 the"));
    expect(await found()).toBe(false);
    writeFileSync(text(), book);
    expect(await found()).toBe(true);
  });

  it("makes anew what is damaged, cut short or not its own", async () => {
    const expected = contentOf((await read()).corpus);
    const path = join(cache, tokensFile());
    const good = readFileSync(path);
    const damages: (() => void)[] = [
      () => truncateSync(path, good.length - 100),
      () => writeFileSync(path, "not tokens at all"),
      () =>
        writeFileSync(
          path,
          good.map((byte, i) => (i === good.length >> 1 ? byte ^ 1 : byte)),
        ),
      () => rmSync(path),
    ];
    for (const damage of damages) {
      damage();
      const { corpus, done } = await read();
      expect(done.found).toBe(false);
      expect(contentOf(corpus)).toEqual(expected);
      expect(readFileSync(path).equals(good)).toBe(true);
    }
    const content = readdirSync(cache).find((name) => name.endsWith(".content"))!;
    writeFileSync(join(cache, content), "00");
    expect((await read()).done.found).toBe(true);
  });

  it("may be filled by several at once", async () => {
    const corpora = await Promise.all(Array.from({ length: 4 }, () => read()));
    const contents = corpora.map(({ corpus }) => contentOf(corpus));
    for (const content of contents) expect(content).toEqual(contents[0]);
    expect(readdirSync(cache).length).toBe(2);
  });

  it("loses what nobody used for a month, and what was left half-made", async () => {
    const old = `${"0".repeat(64)}.tokens`;
    const names = [old, `${"1".repeat(64)}.tokens`, "x.1-a.tmp", "notes.txt"];
    for (const name of names) writeFileSync(join(cache, name), "");
    const before = Date.now() / 1000 - 40 * 24 * 3600;
    for (const name of [old, "x.1-a.tmp", "notes.txt"]) utimesSync(join(cache, name), before, before);
    (await read()).corpus.close();
    expect(names.map((name) => existsSync(join(cache, name)))).toEqual([false, true, false, true]);
  });

  it("refuses a text that changes while it is read, and a folder it cannot write to", async () => {
    writeFileSync(text(), book);
    const options = checkTrainingOptions("test", {
      ...shape,
      cache,
      onProgress: (event) => {
        if (event.type === "reading" && event.stage === "tokens") writeFileSync(text(), `${book}!`);
      },
    });
    await expect(readCorpus(text(), options, undefined, 0)).rejects.toThrow(
      "changing.txt: has changed while it was read",
    );
    expect(readdirSync(cache).filter((name) => !name.endsWith(".content"))).toEqual([]);
    await expect(read({ cache: join(file("book.txt"), "cache") })).rejects.toThrow(
      "cannot be written: a part of the path is a file, not a folder",
    );
  });
});
