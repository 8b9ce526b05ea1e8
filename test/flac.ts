/** What is left of x^n·message modulo a polynomial: the check sums of FLAC. */
function checksum(bytes: readonly number[], bits: 8 | 16, polynomial: number): number {
  const top = 1 << (bits - 1);
  let sum = 0;
  for (const byte of bytes) {
    sum ^= byte << (bits - 8);
    for (let i = 0; i < 8; i++) sum = ((sum << 1) ^ (sum & top ? polynomial : 0)) & (2 * top - 1);
  }
  return sum;
}

const BLOCK = 1024;

/** An FLAC file of 16 bits and 16 kHz, its samples as they are (verbatim subframes); of channels of one length. */
export function encodeFlac(channels: readonly Int16Array[]): Uint8Array {
  const { length } = channels[0]!;
  const big = (value: number, count: number) =>
    Array.from({ length: count }, (_, i) => Math.floor(value / 256 ** (count - 1 - i)) % 256);
  // STREAMINFO: sizes of blocks and frames, 20 bits of rate, 3 of channels, 5 of depth, 36 of length, and no MD5 sum.
  const facts = (16_000n << 44n) | (BigInt(channels.length - 1) << 41n) | (15n << 36n) | BigInt(length);
  const info = [...big(BLOCK, 2), ...big(BLOCK, 2), ...big(0, 6), ...bytesOf(facts), ...big(0, 16)];
  const out = [...Buffer.from("fLaC"), 0x80, ...big(info.length, 3), ...info];
  for (let from = 0, frame = 0; from < length; from += BLOCK, frame++) {
    const size = Math.min(BLOCK, length - from);
    const header = [0xff, 0xf8, 0x75, ((channels.length - 1) << 4) | 0x08, frame, ...big(size - 1, 2)];
    const body = [...header, checksum(header, 8, 0x07)];
    for (const samples of channels) {
      body.push(0x02, ...Array.from(samples.subarray(from, from + size), (x) => big(x & 0xffff, 2)).flat());
    }
    out.push(...body, ...big(checksum(body, 16, 0x8005), 2));
  }
  return Uint8Array.from(out);
}

const bytesOf = (value: bigint) =>
  Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(56 - 8 * i)) & 255n));

/** Frames of an MP3 file of one channel and 44.1 kHz in which nothing sounds. */
export function silentMp3(frames: number): Uint8Array {
  const bytes = new Uint8Array(frames * 417);
  for (let i = 0; i < frames; i++) bytes.set([0xff, 0xfb, 0x90, 0xc0], i * 417);
  return bytes;
}
