import { noGrad, step } from "../../autograd/step.ts";
import { type BeamHypothesis, type BeamOptions, beamSearch } from "../../decoding/beam-search.ts";
import { add, div } from "../../ops/binary.ts";
import { exp, log } from "../../ops/pointwise.ts";
import { logSoftmax } from "../../ops/softmax.ts";
import { type Tensor, tensor } from "../../tensor/tensor.ts";
import {
  BOUNDARY,
  chooseMemory,
  chooseStates,
  type DecoderState,
  type TranslationNetwork,
} from "./network.ts";

/** A translation's tokens, and where was looked for each. */
export interface Decoded extends BeamHypothesis {
  /** For each token, and the end, the weight of each of the source's, if asked for: [tokens + 1][source]. */
  attention?: Float32Array[];
}

/** Steps of sources are filled up to a multiple of this, so that sums do not depend on the others of a batch. */
const EVEN = 8;

/** How long a translation may become: twice its source, and some. */
const longest = (sourceLength: number) => 2 * sourceLength + 20;

/** One network's part of a step. */
interface Running {
  network: TranslationNetwork;
  /** What the decoder began with: row n is sentence n. */
  first: DecoderState;
  state: DecoderState;
}

/**
 * Translates sentences side by side. Several networks of the same tokens are an ensemble: their probabilities are averaged
 * at each step. A sentence's result does not depend on the others.
 */
export function decodeBatch(...given: Parameters<typeof decode>): Decoded[][] {
  // What its steps keep for one another goes when they are all done.
  return step(() => decode(...given));
}

function decode(
  networks: readonly TranslationNetwork[],
  sources: readonly Int32Array[],
  options: BeamOptions,
  { attention = false } = {},
): Decoded[][] {
  const lengths = Int32Array.from(sources, ({ length }) => length);
  const N = sources.length;
  const S = Math.ceil(Math.max(...lengths) / EVEN) * EVEN;
  const padded = new Int32Array(S * N).fill(BOUNDARY);
  for (const [n, tokens] of sources.entries()) {
    for (const [s, token] of tokens.entries()) padded[s * N + n] = token;
  }
  const running = networks.map((network): Running => {
    network.eval();
    const first = step(() => noGrad(() => network.encode(tensor(padded, [S, N]), lengths)));
    return { network, first, state: first };
  });
  /** The sentence of each row. */
  let sentences = Int32Array.from(lengths.keys());
  /** Where was looked, of each step: [rows, S]. */
  const seen: Float32Array[] = [];
  const found = beamSearch(
    (parents, tokens) => {
      const before = sentences;
      sentences = parents.map((parent) => before[parent]!);
      const isSame = before.length === parents.length && sentences.every((n, row) => n === before[row]);
      const { logProbs, weights } = advance(running, { parents, tokens, ...(!isSame && { sentences }) });
      if (attention && weights) seen.push(weights.toArray() as Float32Array);
      return logProbs;
    },
    { start: BOUNDARY, end: BOUNDARY, maxLengths: Array.from(lengths, longest) },
    options,
  );
  if (seen.length === 0) return found;
  return found.map((list, n) =>
    list.map((one) => ({
      ...one,
      attention: one.rows.map((row, t) => seen[t]!.slice(row * S, row * S + lengths[n]!)),
    })),
  );
}

/**
 * All networks by a step: ln of the mean of what they say. `sentences`, if rows are of others than before, says which: what a
 * sentence's rows look at is the same for all of them.
 */
function advance(
  running: Running[],
  { parents, tokens, sentences }: { parents: Int32Array; tokens: Int32Array; sentences?: Int32Array },
): { logProbs: Float32Array; weights: Tensor | undefined } {
  const { states, ...said } = step(() =>
    noGrad(() => {
      const outs = running.map(({ network, first, state }) => {
        const recurrent = chooseStates(state.recurrent, parents);
        const memory = sentences ? chooseMemory(first.memory, sentences) : state.memory;
        const { logits, ...out } = network.decode(tensor(tokens, [1, tokens.length]), { recurrent, memory });
        return { ...out, logProbs: logSoftmax(logits) };
      });
      const mean = () => log(div(outs.map(({ logProbs }) => exp(logProbs)).reduce(add), outs.length));
      return {
        // As numbers: as a tensor it would be copied once more to outlast the step.
        logProbs: (outs.length === 1 ? outs[0]!.logProbs : mean()).toArray() as Float32Array,
        weights: outs[0]!.weights,
        states: outs.map(({ state }) => state),
      };
    }),
  );
  for (const [i, one] of running.entries()) one.state = states[i]!;
  return said;
}
