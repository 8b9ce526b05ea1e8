import { compressedFormat } from "../../data/audio/compressed-format.ts";
import type { Frames } from "../../data/audio/context.ts";
import { readMfc } from "../../data/audio/mfc.ts";
import { toMono, WavReader } from "../../data/audio/wav.ts";
import { DataError, OptionError } from "../../errors.ts";
import { readFile } from "../../io/files.ts";
import { rawBytes } from "../../io/unpack.ts";

/**
 * A recording: the path of a WAV, FLAC or MP3 file or of Sphinx's features *.mfc, such a file's bytes, or samples in [−1, 1)
 * of one channel.
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
        "audio: must be a path, the bytes of a file, or { samples, sampleRate } with samples a Float32Array",
      );
    }
    const bad = samples.findIndex((x) => !Number.isFinite(x));
    if (bad >= 0) throw new DataError(`${where}: sample ${bad} is ${samples[bad]}`);
    if (samples.length === 0) throw new DataError(`${where}: has no samples`);
    range.add(samples);
    yield { samples, sampleRate };
    return { samples: samples.length, silent: range.silent, notes: [], cut: false };
  }
  let count = 0;
  const pieces = typeof audio === "string" ? rawBytes(audio) : [audio].values();
  const first = await pieces.next();
  const format = first.done ? undefined : compressedFormat(first.value);
  if (format) {
    const { decodeCompressed } = await import("../../data/audio/compressed.ts");
    const decoded = decodeCompressed(where, format, from(first.value!, pieces));
    try {
      for (;;) {
        const { done, value } = await decoded.next();
        if (done) {
          const cut = value.missing > 0;
          const notes = cut ? [`${where}: is cut off or damaged, ${value.missing} samples are missing`] : [];
          return { samples: count, silent: range.silent, notes, cut };
        }
        count += value.samples.length;
        range.add(value.samples);
        yield value;
      }
    } finally {
      await decoded.return({ missing: 0 });
    }
  }
  const reader = new WavReader(where);
  for await (const bytes of first.done ? [] : from(first.value, pieces)) {
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

/** All pieces, the first of which was looked at already; the file is closed whenever the reader stops. */
async function* from(first: Uint8Array, others: Iterator<Uint8Array> | AsyncIterator<Uint8Array>) {
  try {
    yield first;
    for (;;) {
      const { done, value } = await others.next();
      if (done) return;
      yield value;
    }
  } finally {
    await others.return?.();
  }
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
