export type CompressedFormat = "flac" | "mp3";

/** What a file is by its first bytes: FLAC, or MP3 with or without a tag in front; undefined if it is neither. */
export function compressedFormat([a = 0, b = 0, c = 0, d = 0]: Uint8Array): CompressedFormat | undefined {
  const mark = String.fromCharCode(a, b, c);
  if (mark === "fLa" && d === 0x43) return "flac";
  const tagged = mark === "ID3" && d >= 2 && d <= 4;
  return tagged || (a === 0xff && (b & 0xe6) === 0xe2) ? "mp3" : undefined;
}
