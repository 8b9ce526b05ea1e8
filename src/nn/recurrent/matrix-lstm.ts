import * as v from "valibot";
import { OptionError } from "../../errors.ts";
import { add, div, maximum, mul, sub } from "../../ops/binary.ts";
import { linear } from "../../ops/linear.ts";
import { linearScan } from "../../ops/linear-scan.ts";
import { matmul } from "../../ops/matmul.ts";
import { maskPadding } from "../../ops/padding.ts";
import { abs, exp, neg, sigmoid } from "../../ops/pointwise.ts";
import { max, sum } from "../../ops/reduce.ts";
import { reverseSequences } from "../../ops/reverse-sequences.ts";
import { concat, slice } from "../../ops/slice.ts";
import { transpose } from "../../ops/transpose.ts";
import { checkOptions, recordOf, wholeNumber } from "../../options.ts";
import { type Tensor, tensor } from "../../tensor/tensor.ts";
import { constant } from "../init.ts";
import type { Cell } from "./cell.ts";
import { Recurrent, type RecurrentOptions, recurrentEntries } from "./recurrent.ts";
import { logSigmoid, rememberingBias } from "./slstm.ts";
import { type HiddenState, zeroState } from "./state.ts";

/** What the layer says, and of each head a matrix C [d, d], its normalizer n [d], and m, by whose exponential both are divided. */
export type MatrixLSTMState = HiddenState & { readonly c: Tensor; readonly n: Tensor; readonly m: Tensor };

export interface MatrixLSTMOptions extends RecurrentOptions {
  /** Heads, each with a matrix of its own; hiddenSize is a multiple. 1 if left out. */
  numHeads?: number;
}

const schema = recordOf({ ...recurrentEntries, numHeads: v.optional(wholeNumber(1, 65_536), 1) });

function check(options: unknown): Required<MatrixLSTMOptions> {
  const checked = checkOptions("MatrixLSTM", schema, options);
  if (checked.hiddenSize % checked.numHeads === 0) return checked;
  const { hiddenSize, numHeads } = checked;
  throw new OptionError(
    `MatrixLSTM: hiddenSize must be a multiple of numHeads, ${numHeads}, got ${hiddenSize}`,
  );
}

/** Steps that are computed at once: their products with one another, and one with the matrix from before. */
const CHUNK = 64;
/** Low enough that e to it is 0. */
const NEVER = -1e9;

/** C [N, heads, d, d], n [N, heads, d, 1] and m [N, heads, 1] */
interface Memory {
  c: Tensor;
  n: Tensor;
  m: Tensor;
}

/**
 * The parallel form within a chunk (App. A.3) of q, k, v [N, heads, L, d], input gates i and F [N, heads, L]: with F_t the
 * sum of ln f up to t, step j has weight e^(F_t − F_j + i_j − m_t) at step t, and what was before e^(F_t + m_0 − m_t).
 */
function runChunk(q: Tensor, k: Tensor, v: Tensor, i: Tensor, F: Tensor, { c, n, m }: Memory) {
  const [N, heads, L] = i.shape as [number, number, number];
  const column = (x: Tensor) => x.reshape(N, heads, L, 1);
  const row = (x: Tensor) => x.reshape(N, heads, 1, L);
  const later = Float32Array.from({ length: L * L }, (_, at) => (at % L > Math.floor(at / L) ? NEVER : 0));
  const logWeights = add(add(column(F), row(sub(i, F))), tensor(later, [L, L]));
  const before = add(F, m);
  const most = maximum(max(logWeights, 3), before);
  const weights = exp(sub(logWeights, column(most)));
  const kept = column(exp(sub(before, most)));
  const fits = mul(matmul(q, transpose(k, [0, 1, 3, 2])), weights);
  const said = add(matmul(fits, v), mul(kept, matmul(q, c)));
  const norm = add(column(sum(fits, 3)), mul(kept, matmul(q, n)));
  const output = div(said, maximum(abs(norm), column(exp(neg(most)))));

  const last = (x: Tensor) => slice(x, 2, L - 1, L);
  const [end, stays] = [last(most), exp(sub(last(before), last(most))).reshape(N, heads, 1, 1)];
  const weighted = transpose(mul(k, column(exp(sub(add(sub(i, F), last(F)), end)))), [0, 1, 3, 2]);
  const next = {
    c: add(mul(stays, c), matmul(weighted, v)),
    n: add(mul(stays, n), sum(weighted, 3).reshape(N, heads, -1, 1)),
    m: end,
  };
  return { output, next };
}

function matrixCell({ hiddenSize: H, numHeads: heads }: Required<MatrixLSTMOptions>): Cell<MatrixLSTMState> {
  const d = H / heads;
  const stateWidths = { h: H, c: H * d, n: H, m: heads };
  return {
    gates: 4,
    readsState: false,
    stateWidths,
    extraWeights: (inputs) => ({ if: [2 * heads, inputs], if_bias: [2 * heads] }),
    initialize({ weight_if, weight_if_bias }) {
      constant(weight_if!, 0);
      const bias = new Float32Array(2 * heads);
      bias.set(rememberingBias(heads), heads);
      weight_if_bias!.set(bias);
    },
    run({ input: given, weightIh, biasIh, extra, lengths }, state, reverse) {
      const read = maskPadding(given, lengths);
      const input = reverse ? reverseSequences(read, lengths) : read;
      const [T, N] = input.shape as [number, number, number];
      const parts = linear(input, weightIh, biasIh);
      const gates = linear(input, extra.if!, extra.if_bias);
      const inputGates = slice(gates, 2, 0, heads);
      const i = lengths ? add(inputGates, pastLengths(lengths, T, N)) : inputGates;
      const forget = logSigmoid(slice(gates, 2, heads, 2 * heads));
      const logF = maskPadding(forget, lengths);
      const begin = state ?? zeroState<MatrixLSTMState>(stateWidths, input);
      let memory: Memory = {
        c: begin.c.reshape(N, heads, d, d),
        n: begin.n.reshape(N, heads, d, 1),
        m: begin.m.reshape(N, heads, 1),
      };
      const said: Tensor[] = [];
      for (let from = 0; from < T; from += CHUNK) {
        const L = Math.min(CHUNK, T - from);
        const of = (x: Tensor) => (L === T ? x : slice(x, 0, from, from + L));
        const chunk = of(parts);
        const headed = (part: number) =>
          transpose(slice(chunk, 2, part * H, (part + 1) * H).reshape(L, N, heads, d), [1, 2, 0, 3]);
        const gate = (x: Tensor) => transpose(x, [1, 2, 0]);
        const ones = tensor(new Float32Array(L * N * heads).fill(1), [L, N, heads]);
        const F = gate(linearScan(ones, of(logF)).output);
        const key = mul(headed(1), 1 / Math.sqrt(d));
        const { output, next } = runChunk(headed(0), key, headed(2), gate(of(i)), F, memory);
        memory = next;
        const joined = transpose(output, [2, 0, 1, 3]).reshape(L, N, H);
        said.push(mul(sigmoid(slice(chunk, 2, 3 * H, 4 * H)), joined));
      }
      const told = said.length === 1 ? said[0]! : concat(said, 0);
      const output = maskPadding(told, lengths);
      return {
        output: reverse ? reverseSequences(output, lengths) : output,
        state: {
          h: lastOf(output, begin.h, lengths),
          c: memory.c.reshape(N, H * d),
          n: memory.n.reshape(N, H),
          m: memory.m.reshape(N, heads),
        },
      };
    },
  };
}

/** 0 within lengths, and what closes an input gate past them: [T, N, 1] */
function pastLengths(lengths: Tensor, T: number, N: number): Tensor {
  const steps = lengths.toArray();
  return tensor(
    Float32Array.from({ length: T * N }, (_, at) => (Math.floor(at / N) < steps[at % N]! ? 0 : NEVER)),
    [T, N, 1],
  );
}

/** What was said at each sequence's last step: what a linear recurrence holds past it. */
function lastOf(output: Tensor, h0: Tensor, lengths: Tensor | undefined): Tensor {
  const none = tensor(new Float32Array(output.size), output.shape);
  return linearScan(none, output, { h0, lengths }).h;
}

/**
 * mLSTM of xLSTM (Beck et al. 2024, arXiv:2405.04517, eq. 19–27): each head has a matrix C_t = σ(f)C_{t−1} + e^i k_t v_tᵀ/√d that is asked
 * by q_t, h_t = σ(o)∘C_tᵀq_t / max(|n_tᵀq_t|, 1), with n_t the same sum of the k_t. Gates read the input alone, so steps are computed
 * in parallel, 64 at a time; one by one they come to the same but for rounding. The rows of weight_ih [4·H, I] are q, k, v, o, those of
 * weight_if [2·heads, I] and weight_if_bias i and f. The state's c is [N, heads·d·d], m as in `SLSTM`.
 */
export class MatrixLSTM extends Recurrent<MatrixLSTMState, Required<MatrixLSTMOptions>> {
  constructor(options: MatrixLSTMOptions) {
    super(options, check, matrixCell);
  }
}
