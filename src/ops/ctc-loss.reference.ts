import type { ReferenceOf } from "../autograd/op.ts";
import { checkTargets, type ctcLossOp } from "./ctc-loss.ts";
import { logSumExp } from "./softmax.reference.ts";

const { NEGATIVE_INFINITY: NOTHING } = Number;

function logAdd(...terms: number[]): number {
  const top = Math.max(...terms);
  if (top === NOTHING || Number.isNaN(top)) return top;
  return top + Math.log(terms.reduce((sum, term) => sum + Math.exp(term - top), 0));
}

interface Sequence {
  T: number;
  /** l′: the labels with a blank before, between and after, 2L + 1 of them (Graves et al. 2006, §4.1). */
  states: number[];
  /** ln y_t of class k. */
  lnY(t: number, k: number): number;
}

type Context = Parameters<(typeof ctcLoss)["forward"]>[0];

function sequenceOf({ shapes, inputs }: Context, n: number, blank: number): Sequence {
  const [, N, V] = shapes.logits as [number, number, number];
  const L = shapes.targets[1]!;
  const labels = [...inputs.targets.subarray(n * L, n * L + inputs.targetLengths[n]!)];
  const rows = Array.from({ length: inputs.inputLengths[n]! }, (_, t) => {
    const row = inputs.logits.subarray((t * N + n) * V, (t * N + n + 1) * V);
    const total = logSumExp(row);
    return row.map((x) => x - total);
  });
  return {
    T: rows.length,
    states: [blank, ...labels.flatMap((label) => [label, blank])],
    lnY: (t, k) => rows[t]![k]!,
  };
}

/** Whether state s may follow s − 2, passing over the blank between two different labels. */
const maySkip = (states: number[], s: number) => s % 2 === 1 && s > 1 && states[s] !== states[s - 2];

/** ln α_t(s), eq. 5 to 8: of all ways to be in state s at frame t. */
function forwardVariables({ T, states, lnY }: Sequence): number[][] {
  const α: number[][] = [];
  for (let t = 0; t < T; t++) {
    α.push(
      states.map((k, s) => {
        if (t === 0) return s < 2 ? lnY(0, k) : NOTHING;
        const before = (back: number) => α[t - 1]![s - back] ?? NOTHING;
        return lnY(t, k) + logAdd(before(0), before(1), maySkip(states, s) ? before(2) : NOTHING);
      }),
    );
  }
  return α;
}

/** ln β_t(s), eq. 9 to 11, without y_t: of all ways to go on from state s at frame t to the end. */
function backwardVariables({ T, states, lnY }: Sequence): number[][] {
  const β: number[][] = new Array(T);
  const last = states.length - 1;
  for (let t = T - 1; t >= 0; t--) {
    β[t] = states.map((_, s) => {
      if (t === T - 1) return s >= last - 1 ? 0 : NOTHING;
      const after = (s: number) => (s > last ? NOTHING : β[t + 1]![s]! + lnY(t + 1, states[s]!));
      return logAdd(after(s), after(s + 1), maySkip(states, s + 2) ? after(s + 2) : NOTHING);
    });
  }
  return β;
}

/** ln p(l | x), eq. 8: ending in the last label or the blank after it. Of no frames: nothing but the empty labelling. */
function logProbability({ T, states }: Sequence, α: number[][]): number {
  if (T === 0) return states.length === 1 ? 0 : NOTHING;
  return logAdd(...α[T - 1]!.slice(-2));
}

export const ctcLoss: ReferenceOf<typeof ctcLossOp> = {
  forward(context, { blank, reduction, zeroInfinity }) {
    const { shapes, inputs, outputs, saved } = context;
    checkTargets(shapes, inputs, blank);
    const N = shapes.logits[1]!;
    const losses = Float64Array.from({ length: N }, (_, n) => {
      const sequence = sequenceOf(context, n, blank);
      const lnP = logProbability(sequence, forwardVariables(sequence));
      return zeroInfinity && lnP === NOTHING ? 0 : 0 - lnP;
    });
    if (reduction === "none") {
      outputs.loss.set(losses);
      return;
    }
    saved.factors.set(
      losses.map((_, n) => (reduction === "mean" ? 1 / (N * Math.max(1, inputs.targetLengths[n]!)) : 1)),
    );
    outputs.loss[0] = losses.reduce((sum, loss, n) => sum + saved.factors[n]! * loss, 0);
  },
  backward(context, { blank, reduction, zeroInfinity }) {
    const { shapes, saved, gradOutputs, gradInputs } = context;
    const [, N, V] = shapes.logits as [number, number, number];
    for (let n = 0; n < N; n++) {
      const sequence = sequenceOf(context, n, blank);
      const { T, states, lnY } = sequence;
      const α = forwardVariables(sequence);
      const β = backwardVariables(sequence);
      const lnP = logProbability(sequence, α);
      if (zeroInfinity && lnP === NOTHING) continue;
      const scale = reduction === "none" ? gradOutputs.loss[n]! : gradOutputs.loss[0]! * saved.factors[n]!;
      const g = Number.isFinite(lnP) ? scale : Number.NaN;
      for (let t = 0; t < T; t++) {
        for (let k = 0; k < V; k++) {
          // Eq. 16, where u is the logit: y − (1/p) Σ α·β over the states of label k.
          const occupancy = states.reduce(
            (sum, state, s) => (state === k ? sum + Math.exp(α[t]![s]! + β[t]![s]! - lnP) : sum),
            0,
          );
          gradInputs.logits[(t * N + n) * V + k]! += g * (Math.exp(lnY(t, k)) - occupancy);
        }
      }
    }
  },
};
