import { PairBatches } from "../../data/text/translation/pair-batches.ts";
import { type ParallelText, pairLines, readParallel } from "../../data/text/translation/parallel-text.ts";
import { DataError } from "../../errors.ts";
import { sha256 } from "../../io/digest.ts";
import { encodeSentence, type Languages, learnLanguages } from "./languages.ts";
import type { ResolvedOptions, TranslationSource } from "./options.ts";

/** Pairs of sentences, and their tokens. */
export interface Pairs {
  source: string[];
  target: string[];
  sourceTokens: Int32Array[];
  /** With the boundary at the end. */
  targetTokens: Int32Array[];
}

/** What is learnt from, and what is validated on. */
export interface Corpus {
  name: string;
  languages: Languages;
  train: Pairs;
  /** Empty if nothing is held out. */
  valid: Pairs;
  /** Pairs that were left out. */
  empty: number;
  long: number;
  /** Tells these sentences, and their tokens, from others. */
  fingerprint(): string;
}

/** What errors call it. */
export const nameOf = ({ source }: TranslationSource) => (typeof source === "string" ? source : "sentences");

export async function readPairs(given: TranslationSource): Promise<ParallelText> {
  if (typeof given.source === "string") return readParallel(given.source, given.target as string);
  const { source, target } = given as { source: readonly string[]; target: readonly string[] };
  return pairLines({ name: "source", lines: [...source] }, { name: "target", lines: [...target] });
}

/** Reads the sentences; the tokens are those of what is learnt from. */
export async function readCorpus(given: TranslationSource, options: ResolvedOptions): Promise<Corpus> {
  const all = await readPairs(given);
  const [learnt, held] =
    options.valid === undefined ? hold(all, options.validFraction) : [all, await readPairs(options.valid)];
  const name = nameOf(given);
  if (learnt.source.length === 0) throw new DataError(`${name}: has no pair of sentences to learn from`);
  const languages = await learnLanguages(learnt.source, learnt.target, options);
  const train = encodePairs(learnt, languages, options, name);
  const unlimited = { ...options, maxLength: Number.POSITIVE_INFINITY };
  const valid = encodePairs(held, languages, unlimited, nameOf(options.valid ?? given));
  if (train.source.length === 0) {
    throw new DataError(`${name}: has no pair of at most ${options.maxLength} tokens a side`, {
      hint: "raise maxLength",
    });
  }
  return {
    name,
    languages,
    train,
    valid,
    empty: learnt.empty.length,
    long: learnt.source.length - train.source.length,
    fingerprint: () => fingerprint([train, valid]),
  };
}

/** Every so manieth is held out, so that all of the text is in both. */
function hold(
  { source, target, lines, empty }: ParallelText,
  fraction: number,
): [ParallelText, ParallelText] {
  const every = fraction > 0 ? Math.round(1 / fraction) : Number.POSITIVE_INFINITY;
  const part = (held: boolean, own: number[]): ParallelText => {
    const isOf = (_: unknown, i: number) => (i % every === every - 1) === held;
    return {
      source: source.filter(isOf),
      target: target.filter(isOf),
      lines: lines.filter(isOf),
      empty: own,
    };
  };
  return [part(false, empty), part(true, [])];
}

function encodePairs(
  { source, target, lines }: ParallelText,
  languages: Languages,
  { maxLength, reverseSource }: { maxLength: number; reverseSource: boolean },
  name: string,
): Pairs {
  const pairs: Pairs = { source: [], target: [], sourceTokens: [], targetTokens: [] };
  for (const [i, sentence] of source.entries()) {
    const what = `${name}: line ${lines[i]}`;
    const from = encodeSentence(languages.source, sentence, what, { reverse: reverseSource });
    const to = encodeSentence(languages.target, target[i]!, what, { end: true });
    if (from.length === 0 || from.length > maxLength || to.length > maxLength + 1) continue;
    pairs.source.push(sentence);
    pairs.target.push(target[i]!);
    pairs.sourceTokens.push(from);
    pairs.targetTokens.push(to);
  }
  return pairs;
}

export function batchesOf(
  { sourceTokens, targetTokens }: Pairs,
  batchTokens: number,
  seed: number,
): PairBatches {
  return new PairBatches(sourceTokens, targetTokens, { maxTokens: batchTokens, seed });
}

function fingerprint(parts: readonly Pairs[]): string {
  function* all(): Iterable<Uint8Array | string> {
    for (const { sourceTokens, targetTokens } of parts) {
      yield `\0${sourceTokens.length}`;
      for (const tokens of [...sourceTokens, ...targetTokens]) {
        yield `\0${tokens.length}\0`;
        yield new Uint8Array(tokens.buffer, tokens.byteOffset, tokens.byteLength);
      }
    }
  }
  return sha256(all());
}
