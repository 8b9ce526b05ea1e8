import { DataError } from "../../errors.ts";
import { decodeAll, symbolOf, TOKENIZER_VERSION, type TokenDecoder, type Tokenizer } from "./tokenizer.ts";

/** One token a Unicode code point. The vocabulary is what the text holds, in code point order. */
export class CharTokenizer implements Tokenizer {
  readonly unit = "char";
  readonly unknown = undefined;
  readonly symbols: readonly string[];
  readonly #tokens: Map<string, number>;

  constructor(symbols: readonly string[]) {
    this.symbols = symbols;
    this.#tokens = new Map(symbols.map((symbol, token) => [symbol, token]));
  }

  /** The vocabulary of all the texts together. */
  static of(...texts: readonly string[]): CharTokenizer {
    const seen = new Set<string>();
    for (const text of texts) for (const symbol of text) seen.add(symbol);
    return new CharTokenizer([...seen].sort((a, b) => a.codePointAt(0)! - b.codePointAt(0)!));
  }

  get size(): number {
    return this.symbols.length;
  }

  get lineBreak(): number | undefined {
    return this.#tokens.get("\n");
  }

  encode(text: string, what = "text"): Int32Array {
    const tokens = new Int32Array(text.length);
    const unseen = new Set<string>();
    let count = 0;
    for (const symbol of text) {
      const token = this.#tokens.get(symbol);
      if (token === undefined) unseen.add(symbol);
      else tokens[count++] = token;
    }
    if (unseen.size > 0) throw unseenError(what, [...unseen], this.size);
    return tokens.slice(0, count);
  }

  decode(tokens: ArrayLike<number>): string {
    return decodeAll(this.decoder(), tokens);
  }

  decoder(): TokenDecoder {
    return { push: (token) => symbolOf(this.symbols, token), end: () => "" };
  }

  toJSON(): Record<string, unknown> {
    return { formatVersion: TOKENIZER_VERSION, unit: this.unit, symbols: this.symbols };
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
