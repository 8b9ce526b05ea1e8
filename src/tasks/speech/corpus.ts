import type { FeatureStatistics } from "../../data/audio/normalize.ts";
import { DataError, OptionError } from "../../errors.ts";
import { sha256 } from "../../io/digest.ts";
import { Alphabet, normalizeTranscript } from "./alphabet.ts";
import { hasFeatures, readRecording } from "./audio.ts";
import type { FrontEndConfig } from "./config.ts";
import { extractAll, type Item, normalizeAll, statisticsOf } from "./dataset.ts";
import { FrontEnd } from "./front-end.ts";
import type { InitialSettings } from "./initialise.ts";
import type { ResolvedOptions } from "./options.ts";
import { pathOf, readUtterances, type SpeechSource, type Utterance } from "./utterances.ts";

/** What is learnt from, and what is validated on. */
export interface Corpus {
  name: string;
  frontEnd: FrontEnd;
  /** Of all vectors that are learnt from, if normalisation is global. */
  statistics: FeatureStatistics | undefined;
  alphabet: Alphabet;
  train: Item[];
  /** Empty if nothing is held out. */
  valid: Item[];
  /** Tells these utterances, and what is made of them, from others. */
  fingerprint(): string;
}

/**
 * Reads recordings and transcripts; alphabet and statistics are those of what is learnt from, or of the model that the
 * training begins with.
 */
export async function readCorpus(
  source: SpeechSource,
  options: ResolvedOptions,
  initial?: InitialSettings,
): Promise<Corpus> {
  const { unit, lowercase, skipBad, speeds, signal, onProgress } = options;
  const [train, valid] = (await readParts(source, options)).map((utterances) =>
    utterances.map((one) => ({ ...one, text: normalizeTranscript(one.text, lowercase) })),
  ) as [Utterance[], Utterance[]];
  const texts = train.map(({ text }) => text);
  const alphabet = initial ? new Alphabet(unit, initial.labels) : Alphabet.of(unit, texts);
  if (alphabet.labels.length < 2) throw new DataError(`${pathOf(source)}: has no text to learn`);
  const frontEnd = new FrontEnd(await chooseFrontEnd(train, options));
  const reading = { skipBad, signal, onProgress };
  const learnt = await extractAll(train, frontEnd, alphabet, { ...reading, speeds });
  const statistics =
    options.normalize === "global"
      ? (initial?.statistics ?? statisticsOf(learnt.found, frontEnd))
      : undefined;
  const held = valid.length > 0 ? (await extractAll(valid, frontEnd, alphabet, reading)).found : [];
  const parts = [learnt.found, held].map((found) => normalizeAll(found, frontEnd, statistics)) as [
    Item[],
    Item[],
  ];
  return {
    name: pathOf(source),
    frontEnd,
    statistics,
    alphabet,
    train: parts[0],
    valid: parts[1],
    fingerprint: () => fingerprint(parts, alphabet),
  };
}

/** Utterances to learn from and to validate on. */
async function readParts(
  source: SpeechSource,
  { valid, validFraction, join }: ResolvedOptions,
): Promise<[Utterance[], Utterance[]]> {
  const { utterances, validation } = await readUtterances(source, "train", join);
  if (valid !== undefined) return [utterances, (await readUtterances(valid, "valid", join)).utterances];
  const own = { path: pathOf(source), split: "valid" as const };
  if (validation && validFraction > 0)
    return [utterances, (await readUtterances(own, "valid", join)).utterances];
  // With a fraction of 0, what would be held out is learnt from, unless a part was named: then it is that part alone.
  if (validation === "heldOut" && typeof source === "string") {
    return [[...utterances, ...(await readUtterances(own, "valid", join)).utterances], []];
  }
  // Every so manieth, so that all speakers and sessions are in both.
  const every = validFraction > 0 ? Math.round(1 / validFraction) : Number.POSITIVE_INFINITY;
  const isHeld = (i: number) => i % every === every - 1;
  return [utterances.filter((_, i) => !isHeld(i)), utterances.filter((_, i) => isHeld(i))];
}

/** The front end with what depends on the recordings: their rate, or that they are features already. */
async function chooseFrontEnd(
  utterances: readonly Utterance[],
  options: ResolvedOptions,
): Promise<FrontEndConfig> {
  const files = utterances.flatMap(({ audio }) => audio);
  const cepstra = files.some(hasFeatures);
  const { features = cepstra ? "sphinx" : "mel", sampleRate = cepstra ? 16_000 : await rateOfFirst(files) } =
    options;
  if (cepstra && features !== "sphinx") {
    throw new OptionError(`SpeechRecognizer.train: features must be sphinx for files *.mfc, got ${features}`);
  }
  const { filters, coefficients, low, high, deltas, normalize, stack, stride } = options;
  const chosen = { filters, coefficients, low, high };
  const given = Object.fromEntries(Object.entries(chosen).filter(([, value]) => value !== undefined));
  return { features, sampleRate, ...given, deltas, normalize, stack, stride };
}

/** Samples a second of the first recording that can be read. */
async function rateOfFirst(files: readonly string[]): Promise<number> {
  let problem: unknown;
  for (const file of files) {
    const pieces = readRecording(file);
    try {
      const { value } = await pieces.next();
      if (value && "sampleRate" in value) return value.sampleRate;
    } catch (error) {
      problem ??= error;
    } finally {
      await pieces.return(undefined as never);
    }
  }
  throw problem;
}

function fingerprint(parts: readonly Item[][], alphabet: Alphabet): string {
  function* all(): Iterable<Uint8Array | string> {
    yield JSON.stringify(alphabet.labels);
    for (const items of parts) {
      yield `\0${items.length}`;
      for (const { transcript, variants } of items) {
        yield `\0${transcript}`;
        for (const { values } of variants) {
          yield `\0${values.length}\0`;
          yield new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
        }
      }
    }
  }
  return sha256(all());
}
