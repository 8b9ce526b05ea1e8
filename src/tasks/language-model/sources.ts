import { decodeText, normalizeText } from "../../data/text/text.ts";
import { DataError } from "../../errors.ts";
import { readFile } from "../../io/files.ts";
import { gunzip } from "../../io/gzip.ts";
import type { TextSource } from "./options.ts";

/** The longest string there can be, about. */
const LONGEST = 2 ** 29 - 2 ** 10;

/** What to call a text in an error. */
export function nameOf(source: TextSource): string {
  const [first, ...others] = pathsOf(source) ?? ["text"];
  return others.length > 0 ? `${first} and ${others.length} more` : first!;
}

/** The paths of a text in files; undefined of one that is at hand. */
export function pathsOf(source: TextSource): readonly string[] | undefined {
  if (typeof source === "string") return [source];
  return "text" in source ? undefined : source;
}

/** A whole text as a string; a page downloads its files. */
export async function readText(source: TextSource): Promise<string> {
  const paths = pathsOf(source);
  if (!paths) {
    const { text } = source as { text: string };
    if (text === "") throw new DataError("text: is empty");
    return normalizeText(text);
  }
  let text = "";
  for (const path of paths) {
    if (text !== "" && !text.endsWith("\n")) text += "\n";
    text += decodeText(await gunzip(await readFile(path, LONGEST), LONGEST, path), path);
  }
  return text;
}
