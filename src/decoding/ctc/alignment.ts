import { DataError } from "../../errors.ts";
import { likeliest } from "../sampling.ts";

/** Where a label stands: frames [from, to), and the greatest probability it has in one of them. */
export interface LabelSpan {
  label: number;
  from: number;
  to: number;
  probability: number;
}

/** A word, where it stands, and how sure the network was: the geometric mean of its labels' probabilities. */
export interface WordSpan {
  word: string;
  from: number;
  to: number;
  confidence: number;
}

/** The likeliest label of each frame, of frames [T, V]; repetitions are one, and blanks none. */
export function ctcBestPath(
  logProbs: ArrayLike<number> & { subarray(from: number, to: number): ArrayLike<number> },
  classes: number,
  blank = 0,
): LabelSpan[] {
  const spans: LabelSpan[] = [];
  let before = blank;
  for (let t = 0; (t + 1) * classes <= logProbs.length; t++) {
    const row = logProbs.subarray(t * classes, (t + 1) * classes);
    const label = likeliest(row);
    const probability = Math.exp(row[label]!);
    const last = spans.at(-1);
    if (label !== blank && label === before) {
      last!.to = t + 1;
      last!.probability = Math.max(last!.probability, probability);
    } else if (label !== blank) spans.push({ label, from: t, to: t + 1, probability });
    before = label;
  }
  return spans;
}

/** The likeliest path through frames [T, V] that gives just these labels (Viterbi). */
export function alignLabels(
  logProbs: ArrayLike<number>,
  classes: number,
  labels: readonly number[],
  blank = 0,
): LabelSpan[] {
  const T = Math.floor(logProbs.length / classes);
  const S = 2 * labels.length + 1;
  const stateLabel = (s: number) => (s % 2 ? labels[(s - 1) / 2]! : blank);
  /** How many states back each one came from. */
  const steps = new Uint8Array(T * S);
  let scores = new Float64Array(S).fill(Number.NEGATIVE_INFINITY);
  let next = scores.slice();
  for (let t = 0; t < T; t++) {
    for (let s = 0; s < S; s++) {
      const longest = s % 2 && s > 1 && labels[(s - 1) / 2] !== labels[(s - 3) / 2] ? 2 : Math.min(s, 1);
      let [best, back] = [t === 0 ? (s < 2 ? 0 : Number.NEGATIVE_INFINITY) : scores[s]!, 0];
      for (let k = 1; t > 0 && k <= longest; k++)
        if (scores[s - k]! > best) [best, back] = [scores[s - k]!, k];
      next[s] = best + logProbs[t * classes + stateLabel(s)]!;
      steps[t * S + s] = back;
    }
    [scores, next] = [next, scores];
  }
  let state = S > 1 && scores[S - 2]! > scores[S - 1]! ? S - 2 : S - 1;
  if (labels.length > 0 && !(scores[state]! > Number.NEGATIVE_INFINITY)) {
    throw new DataError(`alignLabels: ${labels.length} labels do not fit ${T} frames`);
  }
  const spans: LabelSpan[] = labels.map((label) => ({ label, from: T, to: 0, probability: 0 }));
  for (let t = T - 1; t >= 0; t--) {
    if (state % 2) {
      const span = spans[(state - 1) / 2]!;
      span.from = t;
      span.to = Math.max(span.to, t + 1);
      span.probability = Math.max(span.probability, Math.exp(logProbs[t * classes + span.label]!));
    }
    state -= steps[t * S + state]!;
  }
  return spans;
}

/** The words of aligned labels; what stands between two separators is one. */
export function wordSpans(
  spans: readonly LabelSpan[],
  alphabet: readonly string[],
  separator = " ",
): WordSpan[] {
  const words: WordSpan[] = [];
  let open: LabelSpan[] = [];
  const close = () => {
    if (open.length > 0) {
      const sum = open.reduce((total, { probability }) => total + Math.log(probability), 0);
      words.push({
        word: open.map(({ label }) => alphabet[label]!).join(""),
        from: open[0]!.from,
        to: open.at(-1)!.to,
        confidence: Math.exp(sum / open.length),
      });
    }
    open = [];
  };
  for (const span of spans) {
    if (alphabet[span.label] === separator) close();
    else open.push(span);
  }
  close();
  return words;
}
