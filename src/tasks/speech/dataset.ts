import type { Frames } from "../../data/audio/context.ts";
import { FeatureMoments, type FeatureStatistics } from "../../data/audio/normalize.ts";
import { DataError, UnrolledError } from "../../errors.ts";
import { eventLoopTurns } from "../../training/pause.ts";
import type { Alphabet } from "./alphabet.ts";
import type { FeaturesEvent, SkippedEvent } from "./events.ts";
import type { FrontEnd } from "./front-end.ts";
import type { Utterance } from "./utterances.ts";

/** An utterance as the network learns it or is measured by it. */
export interface Item {
  id: string;
  transcript: string;
  /** Its labels; undefined if nothing is to be learnt of it. */
  labels: Int32Array | undefined;
  /** Its vectors, normalised: played at each of the speeds. */
  variants: Frames[];
  seconds: number;
  /** What was not as the files say. */
  notes: string[];
}

export interface Reading {
  skipBad: boolean;
  /** Default 1 alone. */
  speeds?: readonly number[];
  signal?: AbortSignal | undefined;
  onProgress?: ((event: FeaturesEvent | SkippedEvent) => void) | undefined;
}

/** Utterances whose transcripts are in the form that the model has them. */
interface Extraction {
  item: Item;
  speaker: string | undefined;
}

/**
 * Extracts the features of utterances, and leaves out or refuses those that cannot be used: with a file that is missing or
 * damaged, silent, cut off, with characters that are not in the alphabet, or with more labels than steps. With no
 * alphabet the transcripts may be anything.
 */
export async function extractAll(
  utterances: readonly Utterance[],
  frontEnd: FrontEnd,
  alphabet: Alphabet | undefined,
  { skipBad, speeds = [1], signal, onProgress }: Reading,
): Promise<{ found: Extraction[]; skipped: string[] }> {
  const pause = eventLoopTurns();
  const found: Extraction[] = [];
  const skipped: string[] = [];
  for (const [i, utterance] of utterances.entries()) {
    signal?.throwIfAborted();
    try {
      const item = await extractOne(utterance, frontEnd, alphabet, speeds);
      found.push({ item, speaker: utterance.speaker });
    } catch (error) {
      if (!(error instanceof UnrolledError)) throw error;
      const problem = problemOf(error, utterance.where);
      if (!skipBad) {
        throw new DataError(problem, { hint: "`skipBad` leaves such utterances out", cause: error });
      }
      skipped.push(problem);
      onProgress?.({ type: "skipped", problem });
    }
    onProgress?.({ type: "features", utterances: i + 1, of: utterances.length });
    await pause();
  }
  if (found.length === 0) throw new DataError(`none of ${utterances.length} utterances can be used`);
  return { found, skipped };
}

/** The first line of an error, with the place in front if it does not say it. */
function problemOf({ message }: Error, where: string): string {
  const [line = ""] = message.split("\n");
  return line.startsWith(where) ? line : `${where}: ${line}`;
}

async function extractOne(
  { id, audio, text, where }: Utterance,
  frontEnd: FrontEnd,
  alphabet: Alphabet | undefined,
  speeds: readonly number[],
): Promise<Item> {
  const labels = alphabet?.encode(text);
  const variants: Frames[] = [];
  let seconds = 0;
  let notes: string[] = [];
  for (const speed of speeds) {
    const extracted = await frontEnd.extract(audio, speed);
    if (extracted.silent) throw new DataError(`${where}: is silent: all its samples are the same`);
    // What is missing of it, the transcript still has.
    if (extracted.cut) throw new DataError(extracted.notes[0]!);
    if (variants.length === 0) ({ seconds, notes } = extracted);
    variants.push(extracted.frames);
  }
  const [{ values, size }] = variants as [Frames];
  const steps = frontEnd.steps(values.length / size);
  const needed = labels ? labels.length + labels.filter((label, i) => label === labels[i - 1]).length : 0;
  if (steps < needed) {
    throw new DataError(
      `${where}: has ${steps} steps for ${needed} labels, blanks between equal ones among them`,
    );
  }
  return { id, transcript: text, labels, variants, seconds, notes };
}

/** Normalises the vectors of all, by the statistics of the model, or of each one's speaker, or by their own. */
export function normalizeAll(
  extractions: readonly Extraction[],
  frontEnd: FrontEnd,
  statistics: FeatureStatistics | undefined,
): Item[] {
  const { normalize } = frontEnd.config;
  const ofSpeakers = new Map<string | undefined, FeatureStatistics>();
  if (normalize === "speaker") {
    for (const [speaker, own] of Map.groupBy(extractions, ({ speaker }) => speaker)) {
      if (speaker !== undefined) ofSpeakers.set(speaker, statisticsOf(own, frontEnd));
    }
  }
  for (const { item, speaker } of extractions) {
    const by = normalize === "global" ? statistics : ofSpeakers.get(speaker);
    item.variants = item.variants.map((frames) => frontEnd.normalize(frames, by));
  }
  return extractions.map(({ item }) => item);
}

export function statisticsOf(extractions: readonly Extraction[], frontEnd: FrontEnd): FeatureStatistics {
  const moments = new FeatureMoments(frontEnd.size);
  for (const { item } of extractions) for (const frames of item.variants) moments.add(frames);
  return moments.statistics();
}
