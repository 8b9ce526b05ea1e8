import * as v from "valibot";
import { text, trueOrFalse } from "../../../options.ts";
import { makePart, type Part, part, sequenceOf } from "./parts.ts";
import { patternOf, patternSchema } from "./patterns.ts";

/** Changes a text before it is cut into words. */
export type Normalize = (text: string) => string;

export function makeNormalizer(json: unknown, where: string): Normalize {
  return makePart(kinds, json, where);
}

const unicodeForm = (form: "NFC" | "NFD" | "NFKC" | "NFKD") =>
  part({}, (): Normalize => (s) => s.normalize(form));

const kinds: Readonly<Record<string, Part<Normalize>>> = {
  NFC: unicodeForm("NFC"),
  NFD: unicodeForm("NFD"),
  NFKC: unicodeForm("NFKC"),
  NFKD: unicodeForm("NFKD"),
  Lowercase: part({}, () => lowercase),
  StripAccents: part({}, () => (s) => s.replace(/\p{M}/gu, "")),
  Strip: part(
    { strip_left: trueOrFalse(), strip_right: trueOrFalse() },
    ({ strip_left, strip_right }) =>
      (s) => {
        const left = strip_left ? s.replace(/^\p{White_Space}+/u, "") : s;
        return strip_right ? trimEnd(left) : left;
      },
  ),
  Replace: part({ pattern: patternSchema, content: text() }, ({ pattern, content }, where) => {
    const regex = patternOf(pattern, where);
    return (s) => s.replace(regex, () => content);
  }),
  Prepend: part(
    { prepend: text() },
    ({ prepend }) =>
      (s) =>
        s === "" ? s : prepend + s,
  ),
  BertNormalizer: part(
    {
      clean_text: trueOrFalse(),
      handle_chinese_chars: trueOrFalse(),
      strip_accents: v.nullish(trueOrFalse()),
      lowercase: trueOrFalse(),
    },
    (options) => {
      const stripAccents = options.strip_accents ?? options.lowercase;
      return (s) => {
        let result = options.clean_text ? cleaned(s) : s;
        if (options.handle_chinese_chars) result = result.replace(ideograph, " $& ");
        if (stripAccents) result = result.normalize("NFD").replace(/\p{Mn}/gu, "");
        return options.lowercase ? lowercase(result) : result;
      };
    },
  ),
  Sequence: part({ normalizers: sequenceOf() }, ({ normalizers }, where) => {
    const all = normalizers.map((json, i) => makeNormalizer(json, `${where}.normalizers.${i}`));
    return (s) => all.reduce((result, normalize) => normalize(result), s);
  }),
};

/** Letter by letter, so that a sigma at the end of a word is like any other. */
function lowercase(s: string): string {
  return s.includes("Σ") ? Array.from(s, (character) => character.toLowerCase()).join("") : s.toLowerCase();
}

function trimEnd(s: string): string {
  let end = s.length;
  while (end > 0 && /\p{White_Space}/u.test(s[end - 1]!)) end--;
  return s.slice(0, end);
}

const cleaned = (s: string) =>
  s.replace(/(?![\t\n\r])[\p{Cc}\p{Cf}\p{Co}\ufffd]/gu, "").replace(/\p{White_Space}/gu, " ");

const ideograph =
  /[\u4e00-\u9fff\u3400-\u4dbf\uf900-\ufaff\u{20000}-\u{2a6df}\u{2a700}-\u{2b81f}\u{2b920}-\u{2ceaf}\u{2f800}-\u{2fa1f}]/gu;
