import { DataError, OptionError } from "../../errors.ts";
import type { CompressedFormat } from "./compressed-format.ts";

interface Decoded {
  channelData: readonly Float32Array[];
  samplesDecoded: number;
  sampleRate: number;
  errors: readonly { message: string }[];
}

interface AudioDecoder {
  ready: Promise<unknown>;
  decode(bytes: Uint8Array): Decoded | Promise<Decoded>;
  flush?(): Promise<Decoded>;
  free(): void;
}

/** Packages that know these formats, and what they call their decoder. */
const packages = {
  flac: { name: "@wasm-audio-decoders/flac", decoder: "FLACDecoder" },
  mp3: { name: "mpg123-decoder", decoder: "MPEGDecoder" },
} as const;

/** How many samples an FLAC file says it has, in what its first 26 bytes are; 0 if it does not say. */
function promisedSamples(first: Uint8Array): number {
  if (first.length < 26) return 0;
  const view = new DataView(first.buffer, first.byteOffset);
  return (view.getUint8(21) & 15) * 2 ** 32 + view.getUint32(22);
}

/** @internal The decoder of a package that is installed beside, and is asked for when such a file is. */
export async function openDecoder(
  where: string,
  format: CompressedFormat,
  load: (name: string) => Promise<Record<string, unknown>> = (name) => import(/* @vite-ignore */ name),
): Promise<AudioDecoder> {
  const { name, decoder } = packages[format];
  const module = await load(name).catch((cause) => {
    throw new OptionError(
      `${where}: ${format.toUpperCase()} is read by the package ${name}, which is not installed`,
      { hint: `npm install ${name}`, cause },
    );
  });
  const opened = new (module[decoder] as new () => AudioDecoder)();
  await opened.ready;
  return opened;
}

/**
 * The samples of an FLAC or MP3 file, piece by piece, the mean of its channels, in [−1, 1); in the end, how many of those
 * that it promises were not there. Throws DataError where no sample is in it.
 */
export async function* decodeCompressed(
  where: string,
  format: CompressedFormat,
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<{ samples: Float32Array; sampleRate: number }, { missing: number }> {
  const decoder = await openDecoder(where, format);
  let [count, promised] = [0, -1];
  const take = ({ channelData, samplesDecoded, sampleRate, errors }: Decoded) => {
    if (errors.length > 0) throw new DataError(`${where}: is damaged: ${errors[0]!.message}`);
    count += samplesDecoded;
    return { samples: mean(channelData, samplesDecoded), sampleRate };
  };
  try {
    for await (const piece of pieces) {
      if (promised < 0) promised = format === "flac" ? promisedSamples(piece) : 0;
      // The decoder may look at it later, when the reader has put something else in its place.
      const taken = take(await decoder.decode(piece.slice()));
      if (taken.samples.length > 0) yield taken;
    }
    const rest = decoder.flush && take(await decoder.flush());
    if (rest && rest.samples.length > 0) yield rest;
  } finally {
    decoder.free();
  }
  if (count === 0) throw new DataError(`${where}: is damaged: no sample is found in it`);
  return { missing: Math.max(0, promised - count) };
}

function mean(channels: readonly Float32Array[], length: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => {
    let sum = 0;
    for (const channel of channels) sum += channel[i]!;
    return sum / channels.length;
  });
}
