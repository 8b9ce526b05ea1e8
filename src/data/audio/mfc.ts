import { FormatError } from "../../errors.ts";
import type { Frames } from "./context.ts";

/**
 * Sphinx's feature files: a 32-bit count of floats, then the floats. The byte order is the one in which the count fits
 * the file.
 */
export function readMfc(bytes: Uint8Array, size = 13, where = "mfc"): Frames {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = (bytes.length - 4) / 4;
  const little = bytes.length >= 4 && view.getInt32(0, true) === count;
  if (!little && !(bytes.length >= 4 && view.getInt32(0, false) === count)) {
    const said =
      bytes.length >= 4 ? `${view.getInt32(0, false)} or ${view.getInt32(0, true)}` : "no number of";
    throw new FormatError(`${where}: its header announces ${said} floats, it has ${Math.max(0, count)}`);
  }
  if (count % size !== 0) {
    throw new FormatError(`${where}: ${count} floats are no vectors of ${size}`);
  }
  const values = Float32Array.from({ length: count }, (_, i) => view.getFloat32(4 + 4 * i, little));
  const bad = values.findIndex((x) => !Number.isFinite(x));
  if (bad >= 0) throw new FormatError(`${where}: float ${bad} is ${values[bad]}`);
  return { values, size };
}

/** The same in Sphinx's own byte order, the big end first. */
export function writeMfc({ values }: Frames): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(4 + 4 * values.length));
  view.setInt32(0, values.length);
  for (const [i, x] of values.entries()) view.setFloat32(4 + 4 * i, x);
  return new Uint8Array(view.buffer);
}
