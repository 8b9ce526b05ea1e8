import type { RunEvent } from "../../training/events.ts";

/** What there is to learn from. */
export interface CaptionsEvent {
  type: "corpus";
  /** Images to learn from, and to validate on. */
  images: number;
  heldOut: number;
  /** Of the images to learn from. */
  captions: number;
  vocabulary: number;
  /** Captions that are left out: without a word, or longer than `maxLength`. */
  empty: number;
  long: number;
  /** What was left out besides, each by its name: images without captions, captions without an image, bad files. */
  notes: string[];
}

/** How many image files are read, of how many. */
export interface ImagesEvent {
  type: "images";
  images: number;
  of: number;
}

/** What a validation found, of greedy captions. */
export interface CaptioningMeasures {
  /** e to the mean of −ln P of a word. */
  perplexity: number;
  /** BLEU-4, in per cent. */
  bleu: number;
  /** CIDEr-D, in per cent. */
  cider: number;
  /** The part of the captions that are one of their image's to the letter. */
  exact: number;
}

/** What `ImageCaptioner.train` tells as it goes on. A validation's loss is what `measure` says; of scores, less than nothing. */
export type CaptioningEvent = CaptionsEvent | ImagesEvent | RunEvent<CaptioningMeasures>;
