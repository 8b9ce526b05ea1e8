import { EditDistance } from "./edit-distance.ts";

/** tercom's limits: words of a shift, words that it goes, and sacreBLEU's: shifts that are tried of a sentence. */
const LONGEST_SHIFT = 10;
const FARTHEST_SHIFT = 50;
const MOST_TRIED = 1000;

interface Shift {
  gain: number;
  length: number;
  from: number;
  to: number;
  words: Int32Array;
}

/**
 * The edits of TER (Snover et al. 2006) from a hypothesis to a reference: besides inserting, deleting and substituting a
 * word, moving a run of words that the reference has elsewhere counts as one. The best shift is made, and again, as long
 * as there is one that brings the sentences nearer; which are tried, and in which order, is tercom's.
 */
export function translationEdits(hypothesis: readonly string[], reference: readonly string[]): number {
  if (reference.length === 0) return hypothesis.length;
  const numbers = new Map<string, number>();
  const numbered = (words: readonly string[]) =>
    Int32Array.from(words, (word) => {
      const number = numbers.get(word) ?? numbers.size;
      numbers.set(word, number);
      return number;
    });
  const target = numbered(reference);
  let words: Int32Array = numbered(hypothesis);
  const distance = new EditDistance(target, words.length);
  let shifts = 0;
  let tried = 0;
  for (;;) {
    const { best, count } = bestShift(words, target, distance, MOST_TRIED - tried);
    tried += count;
    if (tried >= MOST_TRIED || best === undefined || best.gain <= 0) break;
    shifts++;
    words = best.words;
  }
  return shifts + distance.of(words);
}

function bestShift(words: Int32Array, target: Int32Array, distance: EditDistance, most: number) {
  const before = distance.of(words);
  const { place, wrong, missed } = align(distance, words.length, target.length);
  let best: Shift | undefined;
  let count = 0;
  for (const { from, at, length } of commonRuns(words, target)) {
    // Words that stand right already are left alone, and so are places that hold what they should.
    if (!wrong.subarray(from, from + length).includes(1)) continue;
    if (!missed.subarray(at, at + length).includes(1)) continue;
    if (place[at]! >= from && place[at]! < from + length) continue;
    let previous = -1;
    for (let offset = -1; offset < length && at + offset < target.length; offset++) {
      const to = at + offset < 0 ? 0 : place[at + offset]! + 1;
      if (to === previous) continue;
      previous = to;
      const shifted = shift(words, from, length, to);
      const candidate = { gain: before - distance.of(shifted), length, from, to, words: shifted };
      count++;
      if (best === undefined || isBetter(candidate, best)) best = candidate;
    }
    if (count >= most) break;
  }
  return { best, count };
}

/** The greater gain, then the longer, then the earlier, then the one that goes to an earlier place. */
function isBetter(a: Shift, b: Shift): boolean {
  return (a.gain - b.gain || a.length - b.length || b.from - a.from || b.to - a.to) > 0;
}

/** Of each word of the reference, the place in the hypothesis; and where either has an edit. */
function align(distance: EditDistance, length: number, targetLength: number) {
  const place = new Int32Array(targetLength);
  const wrong = new Uint8Array(length);
  const missed = new Uint8Array(targetLength);
  let [i, j] = [-1, -1];
  for (const edit of distance.path()) {
    if (edit !== "insertion") i++;
    if (edit !== "deletion") j++;
    if (edit !== "deletion") place[j] = i;
    if (edit === "match") continue;
    if (edit !== "insertion") wrong[i] = 1;
    if (edit !== "deletion") missed[j] = 1;
  }
  return { place, wrong, missed };
}

/** Runs of words that both have, each with all its beginnings. */
function* commonRuns(words: Int32Array, target: Int32Array) {
  for (let from = 0; from < words.length; from++) {
    const first = Math.max(0, from - FARTHEST_SHIFT);
    const last = Math.min(target.length - 1, from + FARTHEST_SHIFT);
    for (let at = first; at <= last; at++) {
      const longest = Math.min(LONGEST_SHIFT, words.length - from, target.length - at);
      for (
        let length = 1;
        length <= longest && words[from + length - 1] === target[at + length - 1];
        length++
      ) {
        yield { from, at, length };
      }
    }
  }
}

/** `length` words from `from` on, taken out and put before the word that was at `to`. */
function shift(words: Int32Array, from: number, length: number, to: number): Int32Array {
  const moved = words.subarray(from, from + length);
  const rest = [...words.subarray(0, from), ...words.subarray(from + length)];
  // A place inside the run means that many words on.
  const place = to < from ? to : to > from + length ? to - length : to;
  rest.splice(place, 0, ...moved);
  return Int32Array.from(rest);
}
