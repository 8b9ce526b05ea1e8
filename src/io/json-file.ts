import { FormatError } from "../errors.ts";
import { readFile } from "./files.ts";
import { type Json, parseJson } from "./json.ts";

/** A value as the content of a JSON file. */
export function formatJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

export async function readJsonFile(path: string, maxBytes: number): Promise<unknown> {
  return plainJson(await readFile(path, maxBytes), path);
}

/** The bytes of JSON as the plain objects that schemas check. `where` names them in an error. */
export function plainJson(bytes: Uint8Array, where: string): unknown {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new FormatError(`${where}: is not UTF-8`, { cause });
  }
  return toPlain(parseJson(text, where));
}

/** Maps as the plain objects that schemas check. Every key becomes the object's own, `__proto__` too. */
function toPlain(json: Json): unknown {
  if (Array.isArray(json)) return json.map(toPlain);
  if (!(json instanceof Map)) return json;
  return Object.fromEntries([...json].map(([key, value]) => [key, toPlain(value)]));
}
