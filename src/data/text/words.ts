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

function splitLine(line: string, split: WordSplit): string[] {
  if (split === "whitespace") return line.match(/\S+/g) ?? [];
  if (split === "punctuation") return line.match(wordOrMark) ?? [];
  segmenter ??= new Intl.Segmenter(undefined, { granularity: "word" });
  return Array.from(segmenter.segment(line), ({ segment }) => segment);
}

/** The words of a text; every line break is the word `<eos>`. */
export function splitWords(text: string, split: WordSplit): string[] {
  const words: string[] = [];
  let first = true;
  for (const line of text.split("\n")) {
    if (!first) words.push(EOS);
    first = false;
    for (const word of splitLine(line, split)) words.push(word);
  }
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
