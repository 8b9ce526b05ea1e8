import type { Frames } from "../../data/audio/context.ts";
import { readMfc } from "../../data/audio/mfc.ts";
import { toMono, WavReader } from "../../data/audio/wav.ts";
import { DataError, OptionError } from "../../errors.ts";
import { readFile } from "../../io/files.ts";
import { rawBytes } from "../../io/unpack.ts";

/**
 * A recording: the path of a WAV file or of Sphinx's features *.mfc, a WAV file's bytes, or samples in [−1, 1) of one
 * channel.
 */
export type AudioSource = string | Uint8Array | { samples: Float32Array; sampleRate: number };

const MAX_FEATURES = 2 ** 28;

export const hasFeatures = (audio: AudioSource): audio is string =>
  typeof audio === "string" && /\.mfc$/i.test(audio);

export async function readFeatures(path: string, size: number): Promise<Frames> {
  return readMfc(await readFile(path, MAX_FEATURES), size, path);
}

/** What is known of a recording when it has been read. */
export interface Recording {
  samples: number;
  /** Whether all samples are the same. */
  silent: boolean;
  /** What was not as its header says, in words. */
  notes: string[];
  /** Whether there is less of it than its header says. */
  cut: boolean;
}

/** One piece of a recording: mono. */
interface Piece {
  samples: Float32Array;
  sampleRate: number;
}

export const nameOf = (audio: AudioSource): string => (typeof audio === "string" ? audio : "audio");

/** Reads a recording in pieces, however long it is, and says in the end what it was. */
export async function* readRecording(audio: AudioSource): AsyncGenerator<Piece, Recording> {
  const where = nameOf(audio);
  const range = new Range();
  if (typeof audio === "object" && !(audio instanceof Uint8Array)) {
    const { samples, sampleRate } = audio;
    if (!(samples instanceof Float32Array)) {
      throw new OptionError(
        "audio: must be a path, the bytes of a WAV file, or { samples, sampleRate } with samples a Float32Array",
      );
    }
    const bad = samples.findIndex((x) => !Number.isFinite(x));
    if (bad >= 0) throw new DataError(`${where}: sample ${bad} is ${samples[bad]}`);
    if (samples.length === 0) throw new DataError(`${where}: has no samples`);
    range.add(samples);
    yield { samples, sampleRate };
    return { samples: samples.length, silent: range.silent, notes: [], cut: false };
  }
  const reader = new WavReader(where);
  let count = 0;
  for await (const bytes of typeof audio === "string" ? rawBytes(audio) : [audio]) {
    const all = reader.push(bytes);
    if (all.length === 0) continue;
    const { channels, sampleRate } = reader.format!;
    const samples = toMono(all, channels);
    count += samples.length;
    range.add(samples);
    yield { samples, sampleRate };
  }
  reader.end();
  return { samples: count, silent: range.silent, notes: reader.notes, cut: reader.cut };
}

/** Finds out whether samples differ. */
class Range {
  #low = Number.POSITIVE_INFINITY;
  #high = Number.NEGATIVE_INFINITY;

  add(samples: Float32Array): void {
    for (const x of samples) {
      if (x < this.#low) this.#low = x;
      if (x > this.#high) this.#high = x;
    }
  }

  get silent(): boolean {
    return this.#low === this.#high;
  }
}
