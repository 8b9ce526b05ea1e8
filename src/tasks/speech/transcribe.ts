import * as v from "valibot";
import { recordOf, type SchemasOf, trueOrFalse, wholeNumber } from "../../options.ts";
import type { AudioSource } from "./audio.ts";
import { type Decoder, type DecodingOptions, decodingEntries, type Hypothesis } from "./decoder.ts";
import { listen } from "./listen.ts";
import type { SpeechParts } from "./load.ts";

export interface TranscribeOptions extends DecodingOptions {
  /** Texts to give besides the best one. Default 0; more takes a beam. */
  alternatives?: number | undefined;
  /** Say how likely each label was at each step. Default false. */
  posteriors?: boolean | undefined;
  /** Ends the work with the signal's reason. */
  signal?: AbortSignal | undefined;
}

export const transcribeSchema = recordOf({
  ...decodingEntries,
  alternatives: v.optional(wholeNumber(0, 10_000), 0),
  posteriors: v.optional(trueOrFalse(), false),
  signal: v.optional(v.instance(AbortSignal, "must be an AbortSignal")),
} satisfies SchemasOf<TranscribeOptions>);

/** A word that was said, and when. */
export interface TranscribedWord {
  word: string;
  /** In seconds. */
  start: number;
  end: number;
  /** The geometric mean of the probabilities of its labels, each at its best. */
  confidence: number;
}

/** What was said. */
export interface Transcription {
  text: string;
  /** ln P(text | sound); where a recording is cut at its pauses, of all parts. */
  logProbability: number;
  words: TranscribedWord[];
  /** Other texts, the best first, if they were asked for; there are none of a recording that is cut at its pauses. */
  alternatives?: Pick<Hypothesis, "text" | "logProbability" | "score">[] | undefined;
  /** With `posteriors`: P of each label, the blank first, at each step; of silence there are none. */
  posteriors?: { labels: readonly string[]; probabilities: Float32Array[]; secondsPerStep: number };
  /** Length of the recording. */
  seconds: number;
  /** What was wrong with the recording: cut off, silent. */
  notes: string[];
}

/** What a recogniser hears in a recording. */
export async function transcribeAudio(
  model: SpeechParts,
  audio: AudioSource,
  decoder: Decoder,
  { alternatives = 0, posteriors, signal }: Pick<TranscribeOptions, "alternatives" | "posteriors" | "signal">,
): Promise<Transcription> {
  const { frontEnd, config } = model;
  const { logProbs, seconds, notes, silent } = await listen(model, audio, signal);
  if (silent) {
    const silence = "is silent: all its samples are the same";
    return { text: "", logProbability: 0, words: [], seconds, notes: [...notes, silence] };
  }
  const V = config.labels.length;
  const parts = cutAtPauses(logProbs, V).map(([from, to]) => {
    const part = logProbs.subarray(from * V, to * V);
    const [best, ...others] = decoder.hypotheses(part, 1 + alternatives);
    return { from, best: best!, others, words: decoder.words(part, best!.labels) };
  });
  const { secondsPerStep } = frontEnd;
  return {
    text: parts
      .map(({ best }) => best.text)
      .filter(Boolean)
      .join(" "),
    logProbability: parts.reduce((sum, { best }) => sum + best.logProbability, 0),
    words: parts.flatMap(({ from: first, words }) =>
      words.map(({ word, from, to, confidence }) => ({
        word,
        start: (first + from) * secondsPerStep,
        end: (first + to) * secondsPerStep,
        confidence,
      })),
    ),
    ...(alternatives > 0 && {
      alternatives: (parts.length === 1 ? parts[0]!.others : []).map(({ text, logProbability, score }) => {
        return { text, logProbability, score };
      }),
    }),
    ...(posteriors && {
      posteriors: {
        labels: config.labels,
        probabilities: Array.from({ length: logProbs.length / V }, (_, t) =>
          logProbs.subarray(t * V, (t + 1) * V).map(Math.exp),
        ),
        secondsPerStep,
      },
    }),
    seconds,
    notes,
  };
}

/** The most steps that are decoded as one utterance, and the fewest that are cut off as one. */
const LONGEST = 3000;
const SHORTEST = 1000;

/** Parts of a recording, [from, to) each: what is long is cut in the middle of its longest pauses. */
export function cutAtPauses(logProbs: Float32Array, classes: number): [from: number, to: number][] {
  const T = logProbs.length / classes;
  const parts: [number, number][] = [];
  let from = 0;
  while (T - from > LONGEST) {
    const to = middleOfPause(logProbs, classes, from + SHORTEST, from + LONGEST);
    parts.push([from, to]);
    from = to;
  }
  return [...parts, [from, T]];
}

/** The middle of the longest run of steps that are blank for certain. */
function middleOfPause(logProbs: Float32Array, classes: number, first: number, end: number): number {
  let [best, longest, run] = [first, 0, 0];
  for (let t = first; t < end; t++) {
    run = logProbs[t * classes]! > LIKELY ? run + 1 : 0;
    if (run > longest) [best, longest] = [t - (run >> 1), run];
  }
  return best;
}

/** ln P of a blank that is as good as certain. */
const LIKELY = Math.log(0.9);
