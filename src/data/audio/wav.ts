import { DataError, FormatError } from "../../errors.ts";

/** What a WAV file says of its samples. */
export interface WavFormat {
  sampleRate: number;
  channels: number;
  bitsPerSample: number;
  float: boolean;
}

const PCM = 1;
const FLOAT = 3;
const EXTENSIBLE = 0xfffe;
const OTHERS: Record<number, string> = { 2: "ADPCM", 6: "A-law", 7: "µ-law", 17: "IMA ADPCM", 85: "MP3" };

/** No header is longer than this; what claims to be is not WAV. */
const LONGEST_HEADER = 1 << 20;

/** How many samples a number stands for that streaming programs write where they do not know. */
const UNKNOWN = new Set([0, 0xffffffff, 0x7fffffff]);

/**
 * Reads WAV as it comes, in pieces of any size, and keeps no more than a piece: 8, 16, 24 or 32 bits as integers, 32 or 64
 * as floats, plain or WAVE_FORMAT_EXTENSIBLE, any number of channels and any rate.
 *
 * A header that promises more or less than there is (a recording that was cut off, a program that wrote while it
 * recorded) is believed only as far as the file goes; `notes` says so. Samples that are no numbers are refused.
 */
export class WavReader {
  readonly #where: string;
  #rest = new Uint8Array(0);
  #format: WavFormat | undefined;
  /** Bytes of samples that the header still promises. */
  #promised = Number.POSITIVE_INFINITY;
  #started = false;
  #inData = false;
  #samples = 0;
  /** What was not as the header says, in words. */
  readonly notes: string[] = [];

  /** `where` names the file in errors. */
  constructor(where = "wav") {
    this.#where = where;
  }

  /** Known as soon as the header is read. */
  get format(): WavFormat | undefined {
    return this.#format;
  }

  /** The samples that are complete with these bytes, in [−1, 1), channel by channel within each moment. */
  push(bytes: Uint8Array): Float32Array {
    const all = new Uint8Array(this.#rest.length + bytes.length);
    all.set(this.#rest);
    all.set(bytes, this.#rest.length);
    let at = this.#inData ? 0 : this.#readHeader(all);
    if (!this.#inData) {
      this.#rest = all.subarray(at);
      if (this.#rest.length > LONGEST_HEADER) throw this.#bad("has no samples in its first megabyte");
      return new Float32Array(0);
    }
    const { channels, bitsPerSample, float } = this.#format!;
    const step = (channels * bitsPerSample) / 8;
    const moments = Math.floor(Math.min(all.length - at, this.#promised) / step);
    const view = new DataView(all.buffer, all.byteOffset + at, moments * step);
    const samples = readSamples(view, moments * channels, bitsPerSample, float);
    if (float) this.#refuseNonFinite(samples);
    at += moments * step;
    this.#promised -= moments * step;
    this.#samples += samples.length;
    // What follows the samples (tags, say) is passed over.
    this.#rest = this.#promised < step ? new Uint8Array(0) : all.slice(at);
    return samples;
  }

  /** Whether there are fewer samples so far than the header promises. */
  get cut(): boolean {
    const { channels, bitsPerSample } = this.#format!;
    return Number.isFinite(this.#promised) && this.#promised >= (channels * bitsPerSample) / 8;
  }

  /** To be called at the end of the file; refuses one without samples. */
  end(): void {
    if (!this.#format) throw this.#bad("ends within its header");
    if (this.#samples === 0) throw new DataError(`${this.#where}: has no samples`);
    if (this.cut) {
      this.notes.push(`${this.#where}: is cut off, ${this.#promised} bytes of samples are missing`);
    }
    if (this.#rest.length > 0) {
      this.notes.push(`${this.#where}: ends within a sample, ${this.#rest.length} bytes are left out`);
    }
  }

  /** Reads chunks up to that of the samples, and says where it came to. */
  #readHeader(all: Uint8Array): number {
    const view = new DataView(all.buffer, all.byteOffset, all.byteLength);
    const name = (at: number) => String.fromCharCode(...all.subarray(at, at + 4));
    let at = 0;
    if (!this.#started) {
      if (all.length < 12) return 0;
      if (name(0) !== "RIFF" || name(8) !== "WAVE") {
        const kind = ["RIFX", "RF64"].includes(name(0)) ? `${name(0)}, which is not read` : "no WAV file";
        throw this.#bad(`is ${kind}: it begins with ${JSON.stringify(name(0))}`);
      }
      this.#started = true;
      at = 12;
    }
    while (all.length - at >= 8) {
      const size = view.getUint32(at + 4, true);
      if (name(at) === "data") {
        if (!this.#format) throw this.#bad("has samples before it says what they are");
        if (!UNKNOWN.has(size)) this.#promised = size;
        else this.notes.push(`${this.#where}: does not say how long it is; read to its end`);
        this.#inData = true;
        return at + 8;
      }
      // Chunks begin at even places.
      const next = at + 8 + size + (size % 2);
      if (next - at > LONGEST_HEADER)
        throw this.#bad(`has a part ${JSON.stringify(name(at))} of ${size} bytes`);
      if (next > all.length) break;
      if (name(at) === "fmt ")
        this.#format = this.#readFormat(new DataView(all.buffer, all.byteOffset + at + 8, size));
      at = next;
    }
    return at;
  }

  #readFormat(fmt: DataView): WavFormat {
    if (fmt.byteLength < 16) throw this.#bad(`has a format of ${fmt.byteLength} bytes, not 16 or more`);
    let tag = fmt.getUint16(0, true);
    if (tag === EXTENSIBLE && fmt.byteLength >= 26) tag = fmt.getUint16(24, true);
    const channels = fmt.getUint16(2, true);
    const sampleRate = fmt.getUint32(4, true);
    const bitsPerSample = fmt.getUint16(14, true);
    if (tag !== PCM && tag !== FLOAT) {
      throw this.#bad(`holds ${OTHERS[tag] ?? `format ${tag}`}, which is not read`);
    }
    const widths = tag === FLOAT ? [32, 64] : [8, 16, 24, 32];
    if (!widths.includes(bitsPerSample)) {
      throw this.#bad(`has samples of ${bitsPerSample} bits, not ${widths.join(", ")}`);
    }
    if (channels === 0 || sampleRate === 0) {
      throw this.#bad(`says it has ${channels} channels of ${sampleRate} samples a second`);
    }
    return { sampleRate, channels, bitsPerSample, float: tag === FLOAT };
  }

  #refuseNonFinite(samples: Float32Array): void {
    const place = samples.findIndex((x) => !Number.isFinite(x));
    if (place < 0) return;
    throw new DataError(`${this.#where}: sample ${this.#samples + place} is ${samples[place]}`);
  }

  #bad(what: string): FormatError {
    return new FormatError(`${this.#where}: ${what}`);
  }
}

/** Integers become fractions of full scale; 8 bits have their zero at 128. */
function readSamples(view: DataView, count: number, bits: number, float: boolean): Float32Array {
  const out = new Float32Array(count);
  const step = bits / 8;
  const scale = 2 ** (1 - bits);
  for (let i = 0, at = 0; i < count; i++, at += step) {
    if (float) out[i] = bits === 32 ? view.getFloat32(at, true) : view.getFloat64(at, true);
    else if (bits === 16) out[i] = view.getInt16(at, true) * scale;
    else if (bits === 8) out[i] = (view.getUint8(at) - 128) * scale;
    else if (bits === 32) out[i] = view.getInt32(at, true) * scale;
    else out[i] = (view.getUint16(at, true) + view.getInt8(at + 2) * 65536) * scale;
  }
  return out;
}

/** The mean of the channels. */
export function toMono(samples: Float32Array, channels: number): Float32Array {
  if (channels === 1) return samples;
  return Float32Array.from({ length: samples.length / channels }, (_, i) => {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += samples[i * channels + c]!;
    return sum / channels;
  });
}

export interface Wav extends WavFormat {
  /** In [−1, 1), channel by channel within each moment. */
  samples: Float32Array;
  /** What was not as the header says. */
  notes: string[];
}

/** A whole WAV file; see WavReader, which reads those that are too long for that. */
export function decodeWav(bytes: Uint8Array, where = "wav"): Wav {
  const reader = new WavReader(where);
  const samples = reader.push(bytes);
  reader.end();
  return { ...reader.format!, samples, notes: reader.notes };
}

/** A WAV file of 16 bits, of samples in [−1, 1); those beyond are cut. */
export function encodeWav(
  samples: ArrayLike<number>,
  sampleRate: number,
  channels = 1,
): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const write = (at: number, text: string) => {
    for (let i = 0; i < text.length; i++) view.setUint8(at + i, text.charCodeAt(i));
  };
  write(0, "RIFF");
  view.setUint32(4, 36 + 2 * samples.length, true);
  write(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, PCM, true);
  view.setUint16(22, channels, true);
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, sampleRate * channels * 2, true);
  view.setUint16(32, channels * 2, true);
  view.setUint16(34, 16, true);
  write(36, "data");
  view.setUint32(40, 2 * samples.length, true);
  for (let i = 0; i < samples.length; i++) {
    view.setInt16(44 + 2 * i, Math.max(-32768, Math.min(32767, Math.round(samples[i]! * 32768))), true);
  }
  return new Uint8Array(view.buffer);
}
