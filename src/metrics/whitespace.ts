/** What Python calls white space, where JavaScript's \s differs: U+001C…001F and U+0085 are, U+FEFF is not. */
const blank = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const blanks = new RegExp(`[${blank}]+`, "g");
const trailing = new RegExp(`[${blank}]+$`);

/** The words of a line, as `str.split()` gives them. */
export function words(line: string): string[] {
  return line.split(blanks).filter((word) => word !== "");
}

export function withoutBlanks(line: string): string {
  return line.replace(blanks, "");
}

export function trimEnd(line: string): string {
  return line.replace(trailing, "");
}
