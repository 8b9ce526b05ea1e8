import { words } from "./whitespace.ts";

export const bleuTokenizers = ["13a", "intl", "zh", "char", "none"] as const;
export type BleuTokenizer = (typeof bleuTokenizers)[number];

/** How BLEU cuts a sentence into what it counts. */
export function tokenizeForBleu(line: string, tokenizer: BleuTokenizer): string[] {
  switch (tokenizer) {
    case "13a":
      return words(western(` ${unescaped(line)} `));
    case "zh":
      return words(western(apart(line)));
    case "intl":
      return words(international(line));
    case "char":
      return words([...line].join(" "));
    case "none":
      return words(line);
  }
}

/** The entities that mteval-v13a.pl undoes. */
function unescaped(line: string): string {
  return line
    .replaceAll("<skipped>", "")
    .replaceAll("-\n", "")
    .replaceAll("\n", " ")
    .replaceAll("&quot;", '"')
    .replaceAll("&amp;", "&")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">");
}

/** What mteval-v13a.pl takes for Western languages: marks stand apart, points and commas unless between digits. */
function western(line: string): string {
  return line
    .replace(/[{-~[-` -&(-+:-@/]/g, " $& ")
    .replace(/([^0-9])([.,])/gu, "$1 $2 ")
    .replace(/([.,])([^0-9])/gu, " $1 $2")
    .replace(/([0-9])-/g, "$1 - ");
}

/** mteval-v14.pl: the same by Unicode's categories of punctuation, numbers and symbols. */
function international(line: string): string {
  return line
    .replace(/(\P{N})(\p{P})/gu, "$1 $2 ")
    .replace(/(\p{P})(\P{N})/gu, " $1 $2")
    .replace(/\p{S}/gu, " $& ");
}

/**
 * What counts as Chinese in sacreBLEU's `zh`, character by character. Its ranges of ideographs beyond the first 65,536
 * characters are misspelt there as strings of two characters and so mean U+2001…2A6D and U+2F81…2FA1: punctuation,
 * arrows and radicals are set apart too, and those rare ideographs are not. Kept, for the figures to be the same.
 */
const chinese = new RegExp(
  "[\\u2001-\\u2a6d\\u2e80-\\u2eff\\u2f00-\\u2fdf\\u2ff0-\\u2fff\\u3000-\\u303f\\u3100-\\u312f\\u31a0-\\u31bf" +
    "\\u31c0-\\u31ef\\u3200-\\u33ff\\u3400-\\u4db5\\u4e00-\\u9fbb\\uf900-\\ufa2d\\ufa30-\\ufa6a\\ufa70-\\ufad9" +
    "\\ufe10-\\ufe1f\\ufe30-\\ufe4f\\uff00-\\uffef]",
  "g",
);

const apart = (line: string) => line.replace(chinese, " $& ");
