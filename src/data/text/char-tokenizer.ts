import { DataError } from "../../errors.ts";
import { decodeAll, symbolOf, TOKENIZER_VERSION, type TokenDecoder, type Tokenizer } from "./tokenizer.ts";

/** One token a Unicode code point. The vocabulary is what the text holds, in code point order. */
export class CharTokenizer implements Tokenizer {
  readonly unit = "char";
  readonly unknown = undefined;
  readonly symbols: readonly string[];
  readonly #tokens: Map<number, number>;
  /** The token of each code unit that is a character by itself, −1 if there is none; made when first needed. */
  #units: Int32Array | undefined;

  constructor(symbols: readonly string[]) {
    this.symbols = symbols;
    this.#tokens = new Map(symbols.map((symbol, token) => [symbol.codePointAt(0)!, token]));
  }

  /** The vocabulary of all the texts together. */
  static of(...texts: readonly string[]): CharTokenizer {
    const seen = new SeenCharacters();
    for (const text of texts) seen.add(text);
    return seen.tokenizer();
  }

  get size(): number {
    return this.symbols.length;
  }

  get lineBreak(): number | undefined {
    return this.#tokens.get(10);
  }

  encode(text: string, what = "text"): Int32Array {
    this.#units ??= unitTable(this.#tokens);
    const units = this.#units;
    const tokens = new Int32Array(text.length);
    const unseen = new Set<string>();
    let count = 0;
    for (let i = 0; i < text.length; i++) {
      const token = units[text.charCodeAt(i)]!;
      if (token >= 0) {
        tokens[count++] = token;
        continue;
      }
      const code = text.codePointAt(i)!;
      const other = this.#tokens.get(code);
      if (other === undefined) unseen.add(String.fromCodePoint(code));
      else tokens[count++] = other;
      if (code > 0xffff) i++;
    }
    if (unseen.size > 0) throw unseenError(what, [...unseen], this.size);
    return count === text.length ? tokens : tokens.slice(0, count);
  }

  decode(tokens: ArrayLike<number>): string {
    return decodeAll(this.decoder(), tokens);
  }

  name(token: number): string {
    return symbolOf(this.symbols, token);
  }

  decoder(): TokenDecoder {
    return { push: (token) => symbolOf(this.symbols, token), end: () => "" };
  }

  toJSON(): Record<string, unknown> {
    return { formatVersion: TOKENIZER_VERSION, unit: this.unit, symbols: this.symbols };
  }
}

function unitTable(tokens: ReadonlyMap<number, number>): Int32Array {
  const units = new Int32Array(0x10000).fill(-1);
  for (const [code, token] of tokens) if (code <= 0xffff) units[code] = token;
  return units;
}

/** Collects the characters of a text that may come in pieces. */
export class SeenCharacters {
  readonly ofAll = true;
  /** By code point. */
  readonly #seen = new Uint8Array(0x110000);

  add(text: string): void {
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if ((unit & 0xfc00) === 0xd800) this.#seen[text.codePointAt(i++)!] = 1;
      else this.#seen[unit] = 1;
    }
  }

  /** The tokenizer of what was seen, in code point order. */
  tokenizer(): CharTokenizer {
    const symbols: string[] = [];
    for (let code = this.#seen.indexOf(1); code >= 0; code = this.#seen.indexOf(1, code + 1)) {
      symbols.push(String.fromCodePoint(code));
    }
    return new CharTokenizer(symbols);
  }
}

function unseenError(what: string, unseen: string[], size: number): DataError {
  const shown = unseen.slice(0, 10).map((symbol) => {
    const code = symbol.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0");
    return `${JSON.stringify(symbol)} (U+${code})`;
  });
  const more = unseen.length > 10 ? ` and ${unseen.length - 10} more` : "";
  return new DataError(`${what}: holds characters the model has never seen: ${shown.join(", ")}${more}`, {
    hint: `its vocabulary is the ${size} characters of the text it was trained on; a model of unit "byte" takes any text`,
  });
}
