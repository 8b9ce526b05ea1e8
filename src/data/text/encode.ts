import { type CutAt, measureText, TextCut } from "./text-cut.ts";
import type { TextInPieces } from "./text-source.ts";
import { openTokens } from "./token-cache.ts";
import { TokenWriter } from "./token-file.ts";
import type { Tokenizer } from "./tokenizer.ts";
import { tokenizerFromJSON } from "./tokenizer-json.ts";
import type { TokenSequence } from "./tokens.ts";

/** Collects a vocabulary from the pieces of a text. */
export interface VocabularyBuilder {
  /** Whether it is that of the text to validate on too. */
  readonly ofAll: boolean;
  add(piece: string): void;
  tokenizer(): Tokenizer;
}

/** What is to be made into tokens, and how. */
export interface Encoding {
  text: TextInPieces;
  /** What to validate on: another text, or the last part of this one, or nothing. */
  held: TextInPieces | number;
  /** Where the last part may begin. */
  at: CutAt;
  /** The vocabulary if it is known; else what to make it from, and all that it depends on besides the texts. */
  vocabulary: Tokenizer | { settings: unknown; builder(): VocabularyBuilder };
}

/** What is being done with a text too large for memory. */
export type ReadingStage = "hash" | "measure" | "vocabulary" | "tokens";

export interface Reading {
  /** Told how much of a stage is done, 0 to 1. */
  onProgress?: (stage: ReadingStage, progress: number) => void;
  signal?: AbortSignal | undefined;
}

export interface EncodedText {
  tokenizer: Tokenizer;
  train: TokenSequence;
  valid: TokenSequence;
}

/** The tokens of a text that is held in memory. */
export async function encodeInMemory(encoding: Encoding): Promise<EncodedText> {
  const train: Int32Array[] = [];
  const valid: Int32Array[] = [];
  const tokenizer = await encode(encoding, {}, () => (tokens, held) => (held ? valid : train).push(tokens));
  return { tokenizer, train: join(train), valid: join(valid) };
}

export interface TokensInFile extends EncodedText {
  path: string;
  /** Whether the tokens had been made before. */
  found: boolean;
  /** Tells these tokens, and what they stand for, from others. */
  digest: string;
  close(): void;
}

/** The tokens of a text in a file, out of the cache if they are in it; with `cache` false, in a temporary file. */
export async function encodeInFile(
  encoding: Encoding,
  cache: string | false,
  reading: Reading = {},
): Promise<TokensInFile> {
  const { text, held, at, vocabulary } = encoding;
  const texts = typeof held === "number" ? [text] : [text, held];
  const { tokens, found } = await openTokens({
    cache,
    texts,
    recipe: {
      vocabulary: "settings" in vocabulary ? vocabulary.settings : vocabulary.toJSON(),
      heldOut: typeof held === "number" ? held : "text",
      at,
    },
    onRead: progressOf(texts, "hash", reading),
    async build(path) {
      let writer: TokenWriter | undefined;
      let cut = 0;
      try {
        await encode(encoding, reading, (tokenizer) => {
          const file = new TokenWriter(path, tokenizer.size, JSON.stringify(tokenizer));
          writer = file;
          return (tokens, held) => {
            file.write(tokens);
            if (!held) cut = file.count;
          };
        });
        writer!.finish(cut);
      } finally {
        writer?.close();
      }
    },
  });
  return {
    tokenizer: await tokenizerFromJSON(JSON.parse(tokens.about), tokens.path),
    train: tokens.part(0, tokens.cut),
    valid: tokens.part(tokens.cut, tokens.length),
    path: tokens.path,
    found,
    digest: tokens.digest,
    close: () => tokens.close(),
  };
}

type Write = (tokens: Int32Array, held: boolean) => void;

/** Makes the vocabulary if need be, then the tokens, in as many passes over the text as that takes. */
async function encode(
  encoding: Encoding,
  reading: Reading,
  begin: (tokenizer: Tokenizer) => Write,
): Promise<Tokenizer> {
  const { text, at, vocabulary } = encoding;
  const fraction = typeof encoding.held === "number" ? encoding.held : 0;
  const builder = "settings" in vocabulary ? vocabulary.builder() : undefined;
  const lengths: number[] = [];
  if (fraction > 0 || builder?.ofAll) {
    const stage = builder?.ofAll ? "vocabulary" : "measure";
    for await (const [piece] of partsOf(encoding, undefined, stage, reading)) {
      if (fraction > 0) lengths.push(measureText(piece, at));
      if (builder?.ofAll) builder.add(piece);
    }
  }
  const cut = () => (fraction > 0 ? new TextCut(lengths, fraction, at) : undefined);
  if (builder && !builder.ofAll) {
    for await (const [piece, held] of partsOf(encoding, cut(), "vocabulary", reading)) {
      if (!held) builder.add(piece);
    }
  }
  const tokenizer = "settings" in vocabulary ? builder!.tokenizer() : vocabulary;
  const write = begin(tokenizer);
  for await (const [piece, held] of partsOf(encoding, cut(), "tokens", reading)) {
    write(tokenizer.encode(piece, held ? "validation text" : text.name), held);
  }
  return tokenizer;
}

/** The pieces in order, and whether they are held out. */
async function* partsOf(
  { text, held }: Encoding,
  cut: TextCut | undefined,
  stage: ReadingStage,
  reading: Reading,
): AsyncGenerator<[piece: string, held: boolean]> {
  const texts = typeof held === "number" ? [text] : [text, held];
  const onRead = progressOf(texts, stage, reading);
  for await (const piece of text.pieces(onRead)) {
    const [before, after] = cut ? cut.split(piece) : [piece, ""];
    if (before !== "") yield [before, false];
    if (after !== "") yield [after, true];
  }
  if (typeof held === "number") return;
  for await (const piece of held.pieces(onRead)) yield [piece, true];
}

/** Tells of each hundredth that is read. */
function progressOf(texts: readonly TextInPieces[], stage: ReadingStage, { onProgress, signal }: Reading) {
  const total = texts.reduce((sum, { bytes }) => sum + bytes, 0);
  let read = 0;
  let told = 0;
  return (bytes: number) => {
    signal?.throwIfAborted();
    read += bytes;
    const hundredths = Math.floor((100 * read) / total);
    if (hundredths > told) onProgress?.(stage, hundredths / 100);
    told = hundredths;
  };
}

function join(parts: readonly Int32Array[]): Int32Array {
  if (parts.length === 1) return parts[0]!;
  const joined = new Int32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
