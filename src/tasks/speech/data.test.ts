import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeFlac, silentMp3 } from "../../../test/flac.ts";
import { problem } from "../../../test/problem.ts";
import { RATE, tones, writeTones } from "../../../test/tones.ts";
import type { Frames } from "../../data/audio/context.ts";
import { writeMfc } from "../../data/audio/mfc.ts";
import { encodeWav } from "../../data/audio/wav.ts";
import { SpeechBatches } from "./batches.ts";
import type { FrontEndConfig } from "./config.ts";
import type { Item } from "./dataset.ts";
import type { SpeechEvent } from "./events.ts";
import { FrontEnd } from "./front-end.ts";
import { splits } from "./layouts.ts";
import type { Utterance } from "./manifest.ts";
import type { SpeechOptions } from "./options.ts";
import { SpeechRecognizer } from "./task.ts";
import { cutAtPauses } from "./transcribe.ts";
import { readUtterances } from "./utterances.ts";

let root: string;
const at = (...parts: string[]) => join(root, ...parts);
const write = (path: string, content: string | Uint8Array) => {
  mkdirSync(dirname(at(path)), { recursive: true });
  writeFileSync(at(path), content);
};
const sound = encodeWav(tones("ab"), RATE);
const tiny: SpeechOptions = {
  hiddenSize: 3,
  numLayers: 1,
  maxSteps: 1,
  epochs: 1,
  batchSize: 4,
  validFraction: 0,
};
const train = (path: string, options: SpeechOptions = {}) =>
  SpeechRecognizer.train(at(path), { ...tiny, ...options });

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "unrolled-"));
  writeTones(root, "good", 6, 1);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe("utterances", () => {
  const read = async (path: string, split: (typeof splits)[number] = "train") =>
    (await readUtterances(at(path), split)).utterances;

  it("of manifests, their paths relative to them", async () => {
    write(
      "a.jsonl",
      '{"audio": "x/1.wav", "text": "one"}\n\n{"audio_filepath": ["2.wav", "/3.wav"], "text": "two three", "speaker": "s"}\n',
    );
    expect(await read("a.jsonl")).toEqual([
      { id: at("x/1.wav"), audio: [at("x/1.wav")], text: "one", where: `${at("a.jsonl")}: line 1` },
      {
        id: at("2.wav"),
        audio: [at("2.wav"), "/3.wav"],
        text: "two three",
        speaker: "s",
        where: `${at("a.jsonl")}: line 3`,
      },
    ]);
    write("a.tsv", "client_id\tpath\tsentence\tup_votes\nann\tclips/1.wav\tGood day.\t2\n");
    expect(await read("a.tsv")).toEqual([
      {
        id: at("clips/1.wav"),
        audio: [at("clips/1.wav")],
        text: "Good day.",
        speaker: "ann",
        where: `${at("a.tsv")}: line 2`,
      },
    ]);
  });

  it("of folders with texts beside the recordings", async () => {
    write("beside/ann/1.wav", sound);
    write("beside/ann/1.txt", "one\n");
    write("beside/2.wav", sound);
    write("beside/2.txt", "two\n");
    const found = await read("beside");
    expect(found.map(({ id, text, speaker }) => [id, text.trim(), speaker])).toEqual([
      ["2", "two", undefined],
      [join("ann", "1"), "one", "ann"],
    ]);
  });

  it("of FSDD: the official test, and what validates comes from training", async () => {
    for (const name of ["7_ann_0", "7_ann_4", "3_bob_5", "3_bob_9", "0_ann_10", "9_bob_49"]) {
      write(`fsdd/recordings/${name}.wav`, sound);
    }
    const parts = await Promise.all(splits.map((split) => read("fsdd", split)));
    expect(parts.map((part) => part.map(({ id, text, speaker }) => `${id} ${text} ${speaker}`))).toEqual([
      ["0_ann_10 zero ann", "9_bob_49 nine bob"],
      ["3_bob_5 three bob", "3_bob_9 three bob"],
      ["7_ann_0 seven ann", "7_ann_4 seven ann"],
    ]);
    const strings = await readUtterances(at("fsdd"), "test", [2, 3]);
    for (const { audio, text, speaker } of strings.utterances) {
      expect(text).toBe(audio.map(() => "seven").join(" "));
      expect([2, 3]).toContain(audio.length);
      expect(speaker).toBe("ann");
    }
  });

  it("of LibriSpeech, all parts or one", async () => {
    const chapter = (part: string, speaker: number, texts: string[]) => {
      const names = texts.map((_, i) => `${speaker}-12-000${i}`);
      const place = `libri/${part}/${speaker}/12`;
      const lines = names.map((name, i) => `${name} ${texts[i]}\n`);
      write(`${place}/${speaker}-12.trans.txt`, lines.join(""));
      for (const name of names)
        write(`${place}/${name}.flac`, encodeFlac([new Int16Array(4000).map((_, i) => i)]));
    };
    chapter("train-clean-5", 19, ["ONE", "TWO THREE"]);
    chapter("dev-clean-2", 84, ["TWO"]);
    chapter("test-other", 61, ["FIVE"]);
    const parts = await Promise.all(splits.map((split) => read("libri", split)));
    expect(parts.map((part) => part.map(({ id, text, speaker }) => `${id} ${text} ${speaker}`))).toEqual([
      ["19-12-0000 ONE 19", "19-12-0001 TWO THREE 19"],
      ["84-12-0000 TWO 84"],
      ["61-12-0000 FIVE 61"],
    ]);
    const whole = await readUtterances(at("libri/train-clean-5"), "test");
    expect(whole.validation).toBeUndefined();
    expect(whole.utterances.map(({ audio }) => audio)).toEqual(
      ["0", "1"].map((n) => [at(`libri/train-clean-5/19/12/19-12-000${n}.flac`)]),
    );
    const model = await train("libri", { stack: 1 });
    expect(model.config.frontEnd.sampleRate).toBe(16_000);
    write("libri/dev-clean-2/84/12/84-12.trans.txt", "84-12-0000\n");
    expect(await problem(read("libri", "valid"))).toMatchInlineSnapshot(
      `"FormatError: …/libri/dev-clean-2/84/12/84-12.trans.txt: line 1: must be SPEAKER-CHAPTER-NUMBER and a text"`,
    );
  });

  it("of Common Voice, its folder or one of its tables", async () => {
    const header = "client_id\tpath\tsentence\tage\n";
    write("voice/train.tsv", `${header}ann\tcv_1.mp3\t"""Good"" day."\t\n`);
    write("voice/dev.tsv", `${header}bob\tcv_2.mp3\tNight.\tforties\n`);
    write("voice/clips/cv_1.mp3", silentMp3(4));
    const told = ({ audio, text, speaker }: Utterance) => [audio, text, speaker];
    const one = [[at("voice/clips/cv_1.mp3")], '"Good" day.', "ann"];
    expect((await read("voice")).map(told)).toEqual([one]);
    expect((await read("voice", "valid")).map(told)).toEqual([
      [[at("voice/clips/cv_2.mp3")], "Night.", "bob"],
    ]);
    expect((await read("voice/train.tsv")).map(told)).toEqual([one]);
    expect(await problem(train("voice/train.tsv"))).toMatchInlineSnapshot(`
      "DataError: …/voice/train.tsv: line 2: is silent: all its samples are the same
      hint: \`skipBad\` leaves such utterances out"
    `);
  });

  it("of yesno", async () => {
    for (const name of ["0_0_0_0_1_1_1_1", "0_0_1_0_0_0_1_0", "1_0_0_0_0_0_0_1"]) {
      write(`yesno/waves_yesno/${name}.wav`, sound);
    }
    const parts = await Promise.all(splits.map((split) => read("yesno", split)));
    expect(parts.map((part) => part.map(({ text }) => text))).toEqual([
      ["no no no no yes yes yes yes"],
      ["no no yes no no no yes no"],
      ["yes no no no no no no yes"],
    ]);
    const told = async (options: SpeechOptions, named?: "train") => {
      let counts: unknown;
      const source = named ? { path: at("yesno"), split: named } : at("yesno");
      await SpeechRecognizer.train(source, {
        ...{ ...tiny, unit: "word", ...options },
        onProgress: (event) => {
          if (event.type === "corpus") counts = [event.utterances, event.heldOut];
        },
      });
      return counts;
    };
    expect(await told({ validFraction: 0.1 })).toEqual([1, 1]);
    expect(await told({ validFraction: 0 })).toEqual([2, 0]);
    expect(await told({ validFraction: 0 }, "train")).toEqual([1, 0]);
  });

  it("of Sphinx: every tenth speaker validates", async () => {
    const speakers = Array.from({ length: 11 }, (_, i) => `s${String(i).padStart(2, "0")}`);
    write("an4/etc/an4_train.fileids", speakers.map((speaker) => `clstk/${speaker}/u-${speaker}\n`).join(""));
    write(
      "an4/etc/an4_train.transcription",
      speakers.map((speaker) => `<s> A B </s> (u-${speaker})\n`).join(""),
    );
    write("an4/etc/an4_test.fileids", "test/t/u-t\n");
    write("an4/etc/an4_test.transcription", "C (u-t)\n");
    for (const file of [...speakers.map((s) => `clstk/${s}/u-${s}`), "test/t/u-t"]) {
      write(
        `an4/feat/${file}.mfc`,
        writeMfc({ values: new Float32Array(20 * 13).map((_, i) => i % 7), size: 13 }),
      );
    }
    const [learn, validate, test] = await Promise.all(splits.map((split) => read("an4", split)));
    expect(learn!.map(({ speaker }) => speaker)).toEqual(speakers.filter((speaker) => speaker !== "s09"));
    expect(validate).toMatchObject([
      { id: "u-s09", speaker: "s09", audio: [at("an4/feat/clstk/s09/u-s09.mfc")] },
    ]);
    expect(test).toMatchObject([{ id: "u-t", text: "C " }]);
    const model = await train("an4", { speeds: [0.9, 1.1], deltas: 1 });
    expect(model.config.frontEnd).toMatchObject({ features: "sphinx", sampleRate: 16_000 });
    expect((await model.evaluate(at("an4"))).seconds).toBeCloseTo(0.2, 9);
    expect(await problem(train("an4", { features: "mel" }))).toMatchInlineSnapshot(
      `"OptionError: SpeechRecognizer.train: features must be sphinx for files *.mfc, got mel"`,
    );
    write("an4/etc/an4_test.transcription", "C (u-x)\n");
    expect(await problem(read("an4", "test"))).toMatchInlineSnapshot(
      `"DataError: …/an4/etc/an4_test.fileids: line 1: u-t has no line in …/an4/etc/an4_test.transcription"`,
    );
    write("an4/etc/an4_test.transcription", "C\n");
    expect(await problem(read("an4", "test"))).toMatchInlineSnapshot(
      `"FormatError: …/an4/etc/an4_test.transcription: line 1: must end with (the utterance)"`,
    );
  });

  it("that no program can make out", async () => {
    const failing = async (name: string, content: string) => {
      write(name, content);
      return problem(readUtterances(at(name), "train"));
    };
    expect(await failing("b.jsonl", '{"audio": "a.wav", "text": "a"}\nnonsense\n')).toMatchInlineSnapshot(
      `"FormatError: …/b.jsonl: line 2: must be an object in JSON, got "nonsense""`,
    );
    expect(await failing("b.jsonl", '{"text": "a"}\n')).toMatchInlineSnapshot(
      `"FormatError: …/b.jsonl: line 1: audio is missing"`,
    );
    expect(await failing("b.jsonl", '{"audio": "a.wav"}\n')).toMatchInlineSnapshot(
      `"FormatError: …/b.jsonl: line 1: text is missing"`,
    );
    expect(await failing("b.tsv", "audio\ttext\na.wav\n")).toMatchInlineSnapshot(
      `"FormatError: …/b.tsv: line 2: must have 2 columns, as the first line, got 1"`,
    );
    expect(await failing("b.tsv", "audio\ttext\n")).toMatchInlineSnapshot(
      `"DataError: …/b.tsv: has no utterances"`,
    );
    expect(await failing("b.csv", "a,b\n")).toMatchInlineSnapshot(
      `"FormatError: …/b.csv: must be a manifest *.jsonl or *.tsv, or a folder"`,
    );
    mkdirSync(at("empty"), { recursive: true });
    expect(await problem(readUtterances(at("empty"), "train"))).toMatchInlineSnapshot(
      `"DataError: …/empty: has no recordings *.wav, *.flac or *.mp3, nor features *.mfc"`,
    );
    write("silent/1.wav", sound);
    expect(await problem(readUtterances(at("silent"), "train"))).toMatchInlineSnapshot(
      `"FileError: …/silent/1.txt: cannot be read: there is no such file or folder"`,
    );
    expect(await problem(readUtterances(at("nowhere.jsonl"), "train"))).toMatchInlineSnapshot(
      `"FileError: …/nowhere.jsonl: cannot be read: there is no such file or folder"`,
    );
  });
});

describe("recordings that cannot be used", () => {
  /** A 32-bit float WAV file. */
  function floats(samples: readonly number[]): Uint8Array {
    const view = new DataView(new ArrayBuffer(44 + 4 * samples.length));
    new Uint8Array(view.buffer).set(encodeWav([], RATE));
    view.setUint16(20, 3, true);
    view.setUint16(34, 32, true);
    view.setUint32(40, 4 * samples.length, true);
    for (const [i, x] of samples.entries()) view.setFloat32(44 + 4 * i, x, true);
    return new Uint8Array(view.buffer);
  }

  const cases: [name: string, content: Uint8Array | undefined, text: string][] = [
    ["missing", undefined, "ab"],
    ["truncated", sound.slice(0, 3000), "ab"],
    ["header", sound.slice(0, 30), "ab"],
    ["no-wav", new TextEncoder().encode("ID3, an MP3 file"), "ab"],
    ["zero-length", encodeWav([], RATE), "ab"],
    ["too-short", encodeWav([0.1, 0.2, 0.3], RATE), "ab"],
    ["silent", encodeWav(new Float32Array(4000), RATE), "ab"],
    ["not-a-number", floats([0.1, Number.NaN, 0.2]), "ab"],
    ["too-fast", encodeWav(tones("a").subarray(0, 800), RATE), "abcabcabc"],
  ];

  it("stop the training, or are left out and named", async () => {
    const bad = cases.map(([name, content, text]) => {
      if (content) write(`bad/${name}.wav`, content);
      return JSON.stringify({ audio: `bad/${name}.wav`, text });
    });
    const good = readFileSync(at("good.jsonl"), "utf8").trim().split("\n");
    write("mixed.jsonl", [...good, ...bad].join("\n"));
    expect(await problem(train("mixed.jsonl"))).toMatchInlineSnapshot(`
      "DataError: …/mixed.jsonl: line 7: …/bad/missing.wav: cannot be read: there is no such file or folder
      hint: \`skipBad\` leaves such utterances out"
    `);
    const skipped: string[] = [];
    const onProgress = (event: SpeechEvent) => event.type === "skipped" && skipped.push(event.problem);
    const model = await train("mixed.jsonl", { skipBad: true, onProgress });
    expect(skipped.map((line) => line.replaceAll(root, "…")).join("\n")).toMatchInlineSnapshot(`
      "…/mixed.jsonl: line 7: …/bad/missing.wav: cannot be read: there is no such file or folder
      …/mixed.jsonl: line 8: …/bad/truncated.wav: is cut off, 2106 bytes of samples are missing
      …/mixed.jsonl: line 9: …/bad/header.wav: ends within its header
      …/mixed.jsonl: line 10: …/bad/no-wav.wav: is no WAV file: it begins with "ID3,"
      …/mixed.jsonl: line 11: …/bad/zero-length.wav: has no samples
      …/mixed.jsonl: line 12: …/bad/too-short.wav: is too short: a frame takes 200 samples at 8000 a second, it has 3
      …/mixed.jsonl: line 13: is silent: all its samples are the same
      …/mixed.jsonl: line 14: …/bad/not-a-number.wav: sample 1 is NaN
      …/mixed.jsonl: line 15: has 4 steps for 9 labels, blanks between equal ones among them"
    `);
    write("bad.jsonl", bad.join("\n"));
    expect(await problem(train("bad.jsonl", { skipBad: true }))).toMatchInlineSnapshot(
      `"DataError: none of 9 utterances can be used"`,
    );

    const evaluated = await model.evaluate(at("mixed.jsonl"), { skipBad: true });
    // Too many labels are no obstacle to being evaluated.
    expect(evaluated.utterances).toBe(good.length + 1);
    expect(evaluated.skipped.length).toBe(cases.length - 1);
    expect(await problem(model.evaluate(at("mixed.jsonl")))).toContain("missing.wav: cannot be read");
  });

  it("are named when they are to be transcribed; what can be read of them is", async () => {
    const model = await train("good.jsonl");
    const texts: string[] = [];
    for (const [name] of cases.slice(0, 8)) {
      const found = model.transcribe(at(`bad/${name}.wav`));
      texts.push((await problem(found)) === "none" ? (await found).notes.join("; ") : await problem(found));
    }
    expect(texts.map((text) => text.replaceAll(root, "…")).join("\n")).toMatchInlineSnapshot(`
      "FileError: …/bad/missing.wav: cannot be read: there is no such file or folder
      …/bad/truncated.wav: is cut off, 2106 bytes of samples are missing
      FormatError: …/bad/header.wav: ends within its header
      FormatError: …/bad/no-wav.wav: is no WAV file: it begins with "ID3,"
      DataError: …/bad/zero-length.wav: has no samples
      DataError: …/bad/too-short.wav: is too short: a frame takes 200 samples at 8000 a second, it has 3
      is silent: all its samples are the same
      DataError: …/bad/not-a-number.wav: sample 1 is NaN"
    `);
    const zeros = { samples: new Float32Array(8000), sampleRate: RATE };
    expect(await model.transcribe(zeros)).toMatchObject({
      text: "",
      words: [],
      notes: [expect.stringContaining("silent")],
    });
    for (const samples of [new Float32Array(0), Float32Array.of(1, Number.POSITIVE_INFINITY)]) {
      expect(await problem(model.transcribe({ samples, sampleRate: RATE }))).toMatch(/^DataError: audio: /);
    }
  });

  it("are those with characters that training has not seen", async () => {
    write("strange.jsonl", '{"audio": "good/0.wav", "text": "aé!"}\n');
    expect(await problem(train("good.jsonl", { valid: at("strange.jsonl") }))).toMatchInlineSnapshot(`
      "DataError: …/strange.jsonl: line 1: has characters outside of the alphabet: "é", "!"
      hint: \`skipBad\` leaves such utterances out"
    `);
    expect(
      await problem(train("good.jsonl", { valid: at("strange.jsonl"), unit: "word" })),
    ).toMatchInlineSnapshot(`
      "DataError: …/strange.jsonl: line 1: has words outside of the alphabet: "aé!"
      hint: \`skipBad\` leaves such utterances out"
    `);
    write("mute.jsonl", '{"audio": "good/0.wav", "text": "  "}\n');
    expect(await problem(train("mute.jsonl"))).toMatchInlineSnapshot(
      `"DataError: …/mute.jsonl: has no text to learn"`,
    );
  });
});

describe("front end", () => {
  const config: FrontEndConfig = {
    ...{
      features: "mel",
      sampleRate: RATE,
      filters: 6,
      deltas: 1,
      normalize: "utterance",
      stack: 3,
      stride: 2,
    },
  };
  const frontEnd = new FrontEnd(config);
  const item = async (text: string): Promise<Item> => {
    const { frames, seconds } = await frontEnd.extract([{ samples: tones(text), sampleRate: RATE }]);
    return { id: text, transcript: text, labels: Int32Array.of(1), variants: [frames], seconds, notes: [] };
  };

  it("makes windows of every vector, and zeros beyond the ends", () => {
    const frames: Frames = {
      values: Float32Array.from({ length: 12 * 5 }, (_, i) => 1 + Math.floor(i / 12)),
      size: 12,
    };
    const { values, size } = frontEnd.windows(frames);
    expect(size).toBe(36);
    const vectors = Array.from({ length: values.length / 12 }, (_, i) => values[12 * i]);
    expect(vectors).toEqual([1, 2, 3, 3, 4, 5, 5, 0, 0]);
    const wide = new FrontEnd({ ...config, deltas: 0, stack: 4, stride: 1 });
    const ones = { values: new Float32Array(6 * 3).fill(1), size: 6 };
    const first = Array.from({ length: 12 }, (_, i) => wide.windows(ones).values[6 * i]);
    expect(first).toEqual([0, 1, 1, 1, 1, 1, 1, 0, 1, 1, 0, 0]);
  });

  it("joins recordings as if they were one, and plays them faster", async () => {
    const samples = tones("abc");
    const source = (from: number, to: number) => ({ samples: samples.subarray(from, to), sampleRate: RATE });
    const whole = await frontEnd.extract([source(0, samples.length)]);
    const parts = await frontEnd.extract([source(0, 700), source(700, samples.length)]);
    expect(parts.frames).toEqual(whole.frames);
    const fast = await frontEnd.extract([source(0, samples.length)], 1.25);
    expect(fast.seconds).toBeCloseTo(whole.seconds / 1.25, 3);
  });

  it("masks the same bands of the deltas", () => {
    const frames = { values: new Float32Array(12 * 50).fill(1), size: 12 };
    const masks = { frequencyMasks: 1, frequencyWidth: 3, timeMasks: 1, timeWidth: 10 };
    let masked = 0;
    for (let utterance = 0; utterance < 20; utterance++) {
      const { values } = frontEnd.mask(frames, masks, { seed: 1, epoch: 0, utterance });
      masked += values.filter((x) => x === 0).length;
      for (let t = 0; t < 50; t++) {
        for (let d = 0; d < 6; d++) expect(values[12 * t + d]).toBe(values[12 * t + d + 6]);
      }
    }
    expect(masked / (20 * 600)).toBeGreaterThan(0.1);
    expect(masked / (20 * 600)).toBeLessThan(0.6);
  });

  it("gives batches that depend on seed, epoch and number alone, each utterance once an epoch", async () => {
    const items = await Promise.all(["a", "bb", "abc", "c a", "bca", "abcabc", "b"].map(item));
    const masks = { frequencyMasks: 1, frequencyWidth: 2, timeMasks: 0, timeWidth: 0 };
    const make = () => new SpeechBatches(items, frontEnd, { batchSize: 3, seed: 4, masks });
    const [one, other] = [make(), make()];
    expect(one.length).toBe(3);
    const sizes = [0, 1, 2].map((i) => one.at(1, i).lengths.size);
    expect(sizes.sort()).toEqual([1, 3, 3]);
    one.at(0, 2);
    expect(other.at(1, 2).windows.toArray()).toEqual(one.at(1, 2).windows.toArray());
    expect(one.at(1, 0).windows.toArray()).not.toEqual(one.at(0, 0).windows.toArray());
  });
});

it("cuts what is long in the middle of pauses", () => {
  const steps = 7000;
  const logProbs = new Float32Array(2 * steps);
  for (let t = 0; t < steps; t++) {
    const blank = (t >= 2000 && t < 2100) || (t >= 4000 && t < 4050) || t % 10 === 0;
    logProbs.set(blank ? [0, -20] : [-20, 0], 2 * t);
  }
  expect(cutAtPauses(logProbs, 2)).toEqual([
    [0, 2050],
    [2050, 4025],
    [4025, 7000],
  ]);
  expect(cutAtPauses(logProbs.subarray(0, 2000), 2)).toEqual([[0, 1000]]);
});
