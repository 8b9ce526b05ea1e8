import { DataError } from "../../errors.ts";
import { Utf8Reader } from "./utf8.ts";

/**
 * Text as the tokenizers want it: line ends are "\n" (CRLF and lone CR become that) and there is no byte order mark. A
 * model then never learns which editor a file came from, and a prompt typed anywhere means the same.
 */
export function normalizeText(text: string, what = "text"): string {
  if (!text.isWellFormed()) {
    throw new DataError(`${what}: is not well-formed Unicode: half of a surrogate pair stands alone`);
  }
  return text.replace(/^\uFEFF/, "").replace(/\r\n?/g, "\n");
}

/** The text of a UTF-8 file. Refuses what is empty, binary or of another encoding. */
export function decodeText(bytes: Uint8Array, what = "text"): string {
  const reader = new Utf8Reader(what);
  return reader.push(bytes) + reader.end();
}
