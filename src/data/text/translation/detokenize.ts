import { unescaped } from "./tokenize.ts";

/** Chinese, Japanese and Korean characters, between which there are no blanks. */
const cjk =
  "[\\u1100-\\u11ff\\u2e80-\\ua4cf\\ua840-\\ua87f\\uac00-\\ud7af\\uf900-\\ufaff\\ufe30-\\ufe4f\\uff65-\\uffdc\\u{20000}-\\u{2ffff}]";
/** Full-width marks besides, which Moses leaves among words. */
const wide = "[\\uff01-\\uff0f\\uff1a-\\uff20\\u201c\\u201d\\u2026\\u2014]";

/**
 * A sentence of the tokens that `tokenizeSentence` cuts: marks go to the word before or after them, quotation marks by
 * turns, as Moses' detokenizer.perl has it.
 */
export function detokenize(tokens: readonly string[], language: string): string {
  const words = ` ${tokens.join(" ")} `
    .replaceAll(" @-@ ", "-")
    .split(" ")
    .filter((word) => word !== "")
    .map(unescaped);
  const starts = new RegExp(language === "zh" ? `^(?:${cjk}|${wide})` : `^${cjk}`, "u");
  const ends = new RegExp(language === "zh" ? `(?:${cjk}|${wide})$` : `${cjk}$`, "u");
  const quotes = new Map<string, number>();
  let text = "";
  let gap = " ";
  const put = (word: string, before: string, after: string) => {
    text += before + word;
    gap = after;
  };
  for (const [i, word] of words.entries()) {
    const previous = words[i - 1] ?? "";
    if (starts.test(word)) put(word, ends.test(previous) ? "" : gap, " ");
    else if (/^[\p{Sc}([{¿¡]+$/u.test(word)) put(word, gap, "");
    else if (/^[,.?!:;\\%}\])]+$/.test(word))
      put(word, language === "fr" && /^[?!:;\\%]$/.test(word) ? " " : "", " ");
    else if (language === "en" && /^'\p{Alphabetic}/u.test(word) && /[\p{Alphabetic}\p{Nd}]$/u.test(previous))
      put(word, "", " ");
    else if (
      language === "fr" &&
      /\p{Alphabetic}'$/u.test(word) &&
      /^\p{Alphabetic}/u.test(words[i + 1] ?? "")
    )
      put(word, gap, "");
    else if (word === "”") {
      // Moses does not know it; it can only close.
      put(word, "", " ");
      quotes.set('"', 0);
    } else if (/^['"„“`]+$/.test(word)) {
      const kind = /^[„“]+$/.test(word) ? '"' : word;
      const opened = quotes.get(kind) ?? 0;
      const possessive = language === "en" && word === "'" && previous.endsWith("s");
      if (opened % 2 === 0 && !possessive) put(word, gap, "");
      else put(word, "", " ");
      if (opened % 2 === 1 || !possessive) quotes.set(kind, opened + 1);
    } else put(word, gap, " ");
  }
  return text.replace(/ +/g, " ").trim();
}
