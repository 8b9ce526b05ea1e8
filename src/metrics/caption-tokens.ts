/** What the COCO caption evaluation drops after the Penn Treebank's tokenizer. */
const PUNCTUATION = /^(?:''|'|``|`|"|[.?!,:;-]|--|\.\.\.|…|[()[\]{}]|-[lr][rcs]b-)$/;

/**
 * A caption's words as the COCO caption evaluation counts them: lower case, punctuation parted from words and dropped,
 * endings as the Penn Treebank has them ("do n't", "man 's"). Abbreviations keep no point, of which that tokenizer has
 * a list.
 */
export function captionWords(caption: string): string[] {
  return caption
    .toLowerCase()
    .replace(/[’‘]/g, "'")
    .replace(/[“”]/g, '"')
    .replace(/(\p{L})n't\b/gu, "$1 n't")
    .replace(/(\p{L})'(s|m|d|ll|re|ve)\b/gu, "$1 '$2")
    .replace(/([\p{L}\p{N}])'(?!\p{L})/gu, "$1 ' ")
    .replace(/(?<![\p{L}\p{N}])'(?!(?:s|m|d|ll|re|ve)\b)/gu, " ' ")
    .replace(/(\d)[,](?=\d)/g, "$1\u{e000}")
    .replace(/(\.\.\.|--|["`?!,:;…()[\]{}])/g, " $1 ")
    .replaceAll("\u{e000}", ",")
    .replace(/(?<!\.)\.(?=\s|$)/g, " . ")
    .split(/\s+/)
    .filter((word) => word !== "" && !PUNCTUATION.test(word));
}
