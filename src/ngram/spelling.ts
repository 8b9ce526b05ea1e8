/** How ARPA files spell what begins and ends a sentence. */
export const SENTENCE_START = "<s>";
export const SENTENCE_END = "</s>";

const space = "<space>";

/** A word or a character as ARPA files have it, where blanks stand between words. */
export function spellSymbol(symbol: string): string {
  if (symbol === " ") return space;
  if (!/^[\s<]$/u.test(symbol)) return symbol;
  return `<U+${symbol.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}>`;
}

/** What `spellSymbol` spelt. */
export function readSymbol(spelling: string): string {
  if (spelling === space) return " ";
  const code = /^<U\+([0-9A-F]{4,6})>$/.exec(spelling)?.[1];
  const point = code === undefined ? Number.NaN : Number.parseInt(code, 16);
  return point <= 0x10ffff ? String.fromCodePoint(point) : spelling;
}
