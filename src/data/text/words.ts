/**
 * How text becomes words. `whitespace`: what stands between blanks, for text that was split before (the Penn Treebank,
 * segmented Chinese). `punctuation`: punctuation marks are words of their own. `segmenter`: the words that
 * `Intl.Segmenter` finds, for languages that set no blanks between them; blanks are then words too, and nothing is lost.
 */
export type WordSplit = "whitespace" | "punctuation" | "segmenter";

export const wordSplits: readonly WordSplit[] = ["whitespace", "punctuation", "segmenter"];

/** The word for a line break, as in Mikolov's Penn Treebank. */
export const EOS = "<eos>";
/** The word for all that are not in the vocabulary. */
export const UNK = "<unk>";

// A run of letters and digits with apostrophes or hyphens in it, or with points and commas between digits.
const wordOrMark = /<unk>|[\p{L}\p{M}\p{N}_]+(?:(?:['’-]|(?<=\p{N})[.,](?=\p{N}))[\p{L}\p{M}\p{N}_]+)*|\S/gu;

let segmenter: Intl.Segmenter | undefined;

function splitLine(line: string, split: Exclude<WordSplit, "whitespace">): string[] {
  if (split === "punctuation") return line.match(wordOrMark) ?? [];
  segmenter ??= new Intl.Segmenter(undefined, { granularity: "word" });
  return Array.from(segmenter.segment(line), ({ segment }) => segment);
}

/** Visits the words of a text, each as the place where it stands; every line break is the word `<eos>`. */
export function visitWords(
  text: string,
  split: WordSplit,
  visit: (text: string, from: number, to: number) => void,
): void {
  const lineBreak = () => visit(EOS, 0, EOS.length);
  if (split === "whitespace") {
    visitBetweenBlanks(text, visit, lineBreak);
    return;
  }
  for (const [i, line] of text.split("\n").entries()) {
    if (i > 0) lineBreak();
    for (const word of splitLine(line, split)) visit(word, 0, word.length);
  }
}

function visitBetweenBlanks(
  text: string,
  visit: (text: string, from: number, to: number) => void,
  lineBreak: () => void,
): void {
  let start = -1;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (!isBlank(unit)) {
      if (start < 0) start = i;
      continue;
    }
    if (start >= 0) visit(text, start, i);
    start = -1;
    if (unit === 10) lineBreak();
  }
  if (start >= 0) visit(text, start, text.length);
}

/** What the regular expression \s is, quick for what is frequent. */
function isBlank(unit: number): boolean {
  if (unit < 0xa0) return unit === 32 || (unit >= 9 && unit <= 13);
  return (
    unit === 0xa0 ||
    unit === 0x1680 ||
    (unit >= 0x2000 && unit <= 0x200a) ||
    unit === 0x2028 ||
    unit === 0x2029 ||
    unit === 0x202f ||
    unit === 0x205f ||
    unit === 0x3000 ||
    unit === 0xfeff
  );
}

/** The words of a text; every line break is the word `<eos>`. */
export function splitWords(text: string, split: WordSplit): string[] {
  const words: string[] = [];
  visitWords(text, split, (source, from, to) => words.push(source.slice(from, to)));
  return words;
}

const closing = /^[.,;:!?%)\]}’”»…]+$/u;
const opening = /^[([{“‘«$£€#]+$/u;

/** What stands between two words of a line when they are put together again. */
export function separator(before: string, after: string, split: WordSplit): string {
  if (split === "segmenter") return "";
  if (split === "punctuation" && (closing.test(after) || opening.test(before))) return "";
  return " ";
}
