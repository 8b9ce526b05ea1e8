import { type AudioSource, hasFeatures, readRecording } from "./audio.ts";
import type { FrontEndStream } from "./front-end-stream.ts";
import { allLogProbs, LogProbsInParts } from "./infer.ts";
import type { SpeechParts } from "./load.ts";

/** What the network says of a recording, and what is known of it. */
export interface Listened {
  /** ln P of every label at every step, [T, classes]. */
  logProbs: Float32Array;
  seconds: number;
  notes: string[];
  silent: boolean;
}

/** Samples that go through the front end at once. */
const PIECE = 2 ** 16;

/**
 * Lets the network hear a recording: in pieces, so that an hour takes little more memory than a minute, unless it is
 * features already, or its vectors are normalised by all of them.
 */
export async function listen(
  parts: SpeechParts,
  audio: AudioSource,
  signal?: AbortSignal,
): Promise<Listened> {
  const { frontEnd, network, config } = parts;
  const { normalize } = config.frontEnd;
  if (!hasFeatures(audio) && (normalize === "global" || normalize === "none")) {
    return listenInPieces(parts, audio, signal);
  }
  const { frames, seconds, notes, silent } = await frontEnd.extract([audio]);
  const windows = frontEnd.windows(frontEnd.normalize(frames, config.statistics));
  const found = await allLogProbs(network, [windows], signal);
  signal?.throwIfAborted();
  return { logProbs: found![0]!, seconds, notes, silent };
}

async function listenInPieces(
  { frontEnd, network, config }: SpeechParts,
  audio: AudioSource,
  signal: AbortSignal | undefined,
): Promise<Listened> {
  const logProbs = new LogProbsInParts(network);
  let stream: FrontEndStream | undefined;
  let [samples, rate] = [0, config.frontEnd.sampleRate];
  const pieces = readRecording(audio);
  try {
    for (;;) {
      const { done, value } = await pieces.next();
      if (done) {
        for (const windows of stream?.end() ?? []) await logProbs.push(windows);
        if (logProbs.steps === 0) {
          throw frontEnd.tooShort(audio, Math.round((samples * config.frontEnd.sampleRate) / rate));
        }
        return { logProbs: await logProbs.end(), seconds: samples / rate, ...value };
      }
      rate = value.sampleRate;
      stream ??= frontEnd.stream(rate, config.statistics);
      samples += value.samples.length;
      for (let at = 0; at < value.samples.length; at += PIECE) {
        signal?.throwIfAborted();
        await logProbs.push(stream.push(value.samples.subarray(at, at + PIECE)));
      }
    }
  } finally {
    await pieces.return(undefined as never);
  }
}
