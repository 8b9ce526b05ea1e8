import { expect, it } from "vitest";
import { crossRetrieval, retrievalOf } from "./retrieval.ts";

it("recall and median are those of the ranks", () => {
  expect(retrievalOf([1, 3, 7, 20])).toEqual({
    recallAt1: 0.25,
    recallAt5: 0.5,
    recallAt10: 0.75,
    medianRank: 5,
  });
  expect(retrievalOf([2, 1, 9]).medianRank).toBe(2);
});

it("goes both ways; an image has one of its sentences to find", () => {
  const scores = [
    [3, 1, 2], // of image 0: first
    [0, 1, 5], // of image 0: last, and the best for image 2
    [0, 2, 1], // of image 1: first
    [1, 1, 1], // of image 2: equal scores are no success
  ];
  const { imageFromSentence, sentenceFromImage } = crossRetrieval(scores, [0, 0, 1, 2]);
  expect(imageFromSentence).toEqual({ recallAt1: 0.5, recallAt5: 1, recallAt10: 1, medianRank: 2 });
  // Image 0 and 1 find theirs first; image 2 after three others, one of them equal.
  expect(sentenceFromImage).toEqual(retrievalOf([1, 1, 4]));
});
