import * as v from "valibot";
import { noGrad, step } from "../../autograd/step.ts";
import type { Frames } from "../../data/audio/context.ts";
import { type LabelSpan, wordSpans } from "../../decoding/ctc/alignment.ts";
import { CtcBeamSearch } from "../../decoding/ctc/beam-search.ts";
import { likeliest } from "../../decoding/sampling.ts";
import { DataError, UsageError } from "../../errors.ts";
import type { LSTMState } from "../../nn/recurrent/lstm.ts";
import { logSoftmax } from "../../ops/softmax.ts";
import { recordOf, type SchemasOf } from "../../options.ts";
import { tensor } from "../../tensor/tensor.ts";
import { rateSchema } from "./config.ts";
import { type Decoder, type DecodingOptions, decodingEntries } from "./decoder.ts";
import type { FrontEndStream } from "./front-end-stream.ts";
import type { SpeechParts } from "./load.ts";
import type { TranscribedWord } from "./transcribe.ts";

export interface SpeechStreamOptions extends DecodingOptions {
  /** Of what is pushed. Default: the model's. */
  sampleRate?: number | undefined;
}

export const streamSchema = recordOf({
  ...decodingEntries,
  sampleRate: v.optional(rateSchema),
} satisfies SchemasOf<SpeechStreamOptions>);

/** What was heard so far. */
export interface Heard {
  text: string;
  /** Of sound. */
  seconds: number;
}

/**
 * A recogniser that listens: sound comes in, in pieces of any size, and what was said so far comes out, the same as if all
 * had been there at once. For a model that reads forward only and is normalised globally.
 */
export class SpeechStream {
  readonly #parts: SpeechParts;
  readonly #frontEnd: FrontEndStream;
  readonly #sampleRate: number;
  readonly #search: CtcBeamSearch | undefined;
  /** Of the best path, where no search is made. */
  readonly #spans: LabelSpan[] = [];
  #before = 0;
  #steps = 0;
  #samples = 0;
  #states: LSTMState[] = [];
  #ended = false;

  /** @internal Use `stream()` of a recogniser. */
  constructor(parts: SpeechParts, decoder: Decoder, sampleRate: number) {
    if (parts.config.network.bidirectional) {
      throw new UsageError("stream: the model must read forward only, it reads in both directions", {
        hint: "train it with bidirectional: false",
      });
    }
    this.#parts = parts;
    this.#sampleRate = sampleRate;
    this.#frontEnd = parts.frontEnd.stream(sampleRate, parts.config.statistics);
    if (decoder.search) this.#search = new CtcBeamSearch(decoder.search);
  }

  /** Takes samples in [−1, 1) of one channel, and says what was heard so far. */
  push(samples: Float32Array): Heard {
    if (this.#ended) throw new UsageError("stream: it has ended");
    const bad = samples.findIndex((x) => !Number.isFinite(x));
    if (bad >= 0) throw new DataError(`stream: sample ${this.#samples + bad} is ${samples[bad]}`);
    this.#samples += samples.length;
    this.#read(this.#frontEnd.push(samples));
    return this.heard();
  }

  /** Nothing more comes: what was said. */
  end(): Heard {
    if (!this.#ended) for (const windows of this.#frontEnd.end()) this.#read(windows);
    this.#ended = true;
    return this.heard();
  }

  /** What was heard so far. */
  heard(): Heard {
    const { alphabet } = this.#parts;
    const labels = this.#search
      ? (this.#search.hypotheses()[0]?.labels ?? [])
      : this.#spans.map(({ label }) => label);
    return { text: alphabet.spell(labels), seconds: this.#samples / this.#sampleRate };
  }

  /** The words so far, and when; of a best path alone, a beam search does not settle on times. */
  words(): TranscribedWord[] {
    const { alphabet, frontEnd } = this.#parts;
    const { labels, unit } = alphabet;
    const spans =
      unit === "char"
        ? wordSpans(this.#spans, labels)
        : this.#spans.map(({ label, probability: confidence, ...at }) => {
            return { ...at, word: labels[label]!, confidence };
          });
    return spans.map(({ word, from, to, confidence }) => {
      return { word, start: from * frontEnd.secondsPerStep, end: to * frontEnd.secondsPerStep, confidence };
    });
  }

  #read({ values, size }: Frames): void {
    const T = values.length / size;
    if (T === 0) return;
    const { network, alphabet } = this.#parts;
    const { logProbs, states } = step(() =>
      noGrad(() => {
        const { logits, states } = network.read(tensor(values, [T, 1, size]), { states: this.#states });
        return { logProbs: logSoftmax(logits), states };
      }),
    );
    this.#states = states;
    const V = alphabet.labels.length;
    const all = logProbs.toArray();
    for (let t = 0; t < T; t++, this.#steps++) {
      if (this.#search) this.#search.push(all, t * V);
      else this.#follow(all.subarray(t * V, (t + 1) * V) as Float32Array);
    }
  }

  /** One step more of the best path. */
  #follow(logProbs: Float32Array): void {
    const label = likeliest(logProbs);
    const probability = Math.exp(logProbs[label]!);
    const to = this.#steps + 1;
    const last = this.#spans.at(-1);
    if (label !== 0 && label === this.#before) {
      last!.to = to;
      last!.probability = Math.max(last!.probability, probability);
    } else if (label !== 0) this.#spans.push({ label, from: this.#steps, to, probability });
    this.#before = label;
  }
}
