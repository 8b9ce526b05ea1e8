import { FormatError } from "../errors.ts";

export type Json = string | number | boolean | null | Json[] | Map<string, Json>;

/**
 * JSON as RFC 8259 has it, for files that nobody vouches for. Unlike JSON.parse it gives Maps, which no key can harm,
 * refuses a key given twice (JSON.parse would keep the last) and refuses what nests deeper than `maxDepth`.
 */
export function parseJson(text: string, where: string, maxDepth = 32): Json {
  const parser = new Parser(text, where, maxDepth);
  const value = parser.value(0);
  parser.end();
  return value;
}

class Parser {
  readonly #text: string;
  readonly #where: string;
  readonly #maxDepth: number;
  #at = 0;

  constructor(text: string, where: string, maxDepth: number) {
    this.#text = text;
    this.#where = where;
    this.#maxDepth = maxDepth;
  }

  value(depth: number): Json {
    if (depth > this.#maxDepth) throw this.#error(`nests deeper than ${this.#maxDepth} levels`);
    this.#skipSpace();
    switch (this.#text[this.#at]) {
      case "{":
        return this.#object(depth);
      case "[":
        return this.#array(depth);
      case '"':
        return this.#string();
      default:
        return this.#literal();
    }
  }

  end(): void {
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#error("has something after its end");
  }

  #object(depth: number): Map<string, Json> {
    const entries = new Map<string, Json>();
    this.#list("}", () => {
      this.#skipSpace();
      const key = this.#string();
      if (entries.has(key)) throw this.#error(`has the key ${JSON.stringify(key)} twice`);
      this.#skipSpace();
      if (this.#text[this.#at++] !== ":") throw this.#error("is not JSON");
      entries.set(key, this.value(depth + 1));
    });
    return entries;
  }

  #array(depth: number): Json[] {
    const items: Json[] = [];
    this.#list("]", () => items.push(this.value(depth + 1)));
    return items;
  }

  /** What stands between a bracket and its end, separated by commas. */
  #list(end: string, item: () => void): void {
    this.#at++;
    this.#skipSpace();
    if (this.#text[this.#at] === end) {
      this.#at++;
      return;
    }
    for (;;) {
      item();
      this.#skipSpace();
      const next = this.#text[this.#at++];
      if (next === end) return;
      if (next !== ",") throw this.#error("is not JSON");
    }
  }

  #string(): string {
    const text = this.#text;
    if (text[this.#at] !== '"') throw this.#error("is not JSON");
    let end = this.#at + 1;
    while (end < text.length && text[end] !== '"') end += text[end] === "\\" ? 2 : 1;
    return this.#parse(end + 1) as string;
  }

  #literal(): Json {
    const literal = /[^\s,\]}]*/y;
    literal.lastIndex = this.#at;
    literal.exec(this.#text);
    return this.#parse(literal.lastIndex) as Json;
  }

  /** JSON.parse knows best how a single string, number or word is written. */
  #parse(end: number): unknown {
    try {
      const value: unknown = JSON.parse(this.#text.slice(this.#at, end));
      this.#at = end;
      return value;
    } catch (cause) {
      throw this.#error("is not JSON", cause);
    }
  }

  #skipSpace(): void {
    while (this.#at < this.#text.length && " \t\n\r".includes(this.#text[this.#at]!)) this.#at++;
  }

  #error(what: string, cause?: unknown): FormatError {
    return new FormatError(`${this.#where} ${what}, at character ${this.#at}`, { cause });
  }
}
