import { crc32c } from "./crc32c.ts";

/**
 * TFRecord: each record is its length as uint64, a checksum of those 8 bytes, the data, a checksum of the data; all
 * little-endian. A checksum is rotated and shifted so that data which holds checksums itself is no trap.
 */

const HEADER = 12;
const FOOTER = 4;

function masked(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

export function frameRecord(data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER + data.length + FOOTER);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, masked(bytes.subarray(0, 8)), true);
  bytes.set(data, HEADER);
  view.setUint32(HEADER + data.length, masked(data), true);
  return bytes;
}

/** The records of a file with the offset of the next, up to the first that is cut off or damaged. */
export function* recordsOf(bytes: Uint8Array): IterableIterator<{ data: Uint8Array; end: number }> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let from = 0; from + HEADER <= bytes.length; ) {
    if (view.getUint32(from + 8, true) !== masked(bytes.subarray(from, from + 8))) return;
    const start = from + HEADER;
    const end = start + Number(view.getBigUint64(from, true));
    if (end + FOOTER > bytes.length) return;
    const data = bytes.subarray(start, end);
    if (view.getUint32(end, true) !== masked(data)) return;
    from = end + FOOTER;
    yield { data, end: from };
  }
}
