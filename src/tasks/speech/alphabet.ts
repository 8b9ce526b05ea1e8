import { DataError } from "../../errors.ts";

/** White space becomes single blanks; case is kept unless it is to go. */
export function normalizeTranscript(text: string, lowercase: boolean): string {
  const plain = text.normalize("NFC").trim().replace(/\s+/g, " ");
  return lowercase ? plain.toLowerCase() : plain;
}

/** What a recogniser tells apart: characters, the blank between words among them, or whole words. Class 0 is none. */
export class Alphabet {
  readonly unit: "char" | "word";
  readonly labels: readonly string[];
  readonly #classes: ReadonlyMap<string, number>;

  constructor(unit: "char" | "word", labels: readonly string[]) {
    this.unit = unit;
    this.labels = labels;
    this.#classes = new Map(labels.map((label, i) => [label, i]));
  }

  /** That of transcripts, sorted. */
  static of(unit: "char" | "word", transcripts: readonly string[]): Alphabet {
    const seen = new Set(transcripts.flatMap((transcript) => split(unit, transcript)));
    return new Alphabet(unit, ["", ...[...seen].sort()]);
  }

  /** The classes of a transcript. */
  encode(transcript: string): Int32Array {
    const parts = split(this.unit, transcript);
    const unknown = [...new Set(parts)].filter((part) => !this.#classes.has(part));
    if (unknown.length > 0) {
      const shown = unknown.slice(0, 10).map((part) => JSON.stringify(part));
      const more = unknown.length > 10 ? ` and ${unknown.length - 10} more` : "";
      const what = this.unit === "char" ? "characters" : "words";
      throw new DataError(`has ${what} outside of the alphabet: ${shown.join(", ")}${more}`);
    }
    return Int32Array.from(parts, (part) => this.#classes.get(part)!);
  }

  /** The transcript of classes. */
  spell(classes: readonly number[]): string {
    const text = classes.map((k) => this.labels[k]!).join(this.unit === "char" ? "" : " ");
    return text.trim().replace(/ +/g, " ");
  }
}

const split = (unit: "char" | "word", transcript: string) =>
  unit === "char" ? [...transcript] : transcript.split(" ").filter(Boolean);
