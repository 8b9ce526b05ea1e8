import { BLEU } from "./bleu.ts";
import { captionWords } from "./caption-tokens.ts";
import { CiderD } from "./cider-d.ts";
import { Meteor } from "./meteor.ts";
import { RougeL } from "./rouge-l.ts";

/** In per cent; of CIDEr-D a hundred times what the COCO caption evaluation prints. */
export interface CaptionScores {
  /** BLEU-1 … BLEU-4 of the corpus. */
  bleu: [number, number, number, number];
  meteor: number;
  rougeL: number;
  cider: number;
}

/**
 * Scores captions as the COCO caption evaluation does (Chen et al. 2015): `references` holds the captions of each image, of
 * which there may be different numbers. METEOR is by words and stems alone, see `Meteor`.
 */
export function captionScores(
  captions: readonly string[],
  references: readonly (readonly string[])[],
): CaptionScores {
  const clean = (caption: string) => captionWords(caption).join(" ");
  const hypotheses = captions.map(clean);
  // One list for each first, second, … reference; where an image has no such one, it is empty.
  const most = Math.max(...references.map(({ length }) => length));
  const lists = Array.from({ length: most }, (_, k) => references.map((own) => clean(own[k] ?? "")));
  const bleu = [1, 2, 3, 4].map(
    (maxOrder) =>
      new BLEU({ tokenize: "none", smooth: "none", maxOrder }).corpusScore(hypotheses, lists).score,
  ) as CaptionScores["bleu"];
  return {
    bleu,
    meteor: new Meteor().corpusScore(hypotheses, lists).score,
    rougeL: new RougeL().corpusScore(hypotheses, lists).score,
    cider: new CiderD(lists).corpusScore(hypotheses, lists).score,
  };
}
