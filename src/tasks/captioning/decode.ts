import { noGrad, step } from "../../autograd/step.ts";
import type { ImageBatch } from "../../data/images/image-table.ts";
import { type BeamHypothesis, type BeamOptions, beamSearch } from "../../decoding/beam-search.ts";
import { add, div } from "../../ops/binary.ts";
import { gather } from "../../ops/gather.ts";
import { exp, log } from "../../ops/pointwise.ts";
import { logSoftmax } from "../../ops/softmax.ts";
import { type Tensor, tensor } from "../../tensor/tensor.ts";
import { BOUNDARY, chooseMemory, chooseStates } from "../translation/network.ts";
import type { CaptioningNetwork, DecoderState } from "./network.ts";

/** A caption's tokens, and where was looked for each. */
export interface Decoded extends BeamHypothesis {
  /** For each token, and the end, the weight of each cell of the grid, if asked for. */
  attention?: Float32Array[];
}

export interface DecodeOptions {
  maxLength: number;
  /** Tokens that are never said. */
  never: readonly number[];
  attention?: boolean;
}

/** One network's part of a step. */
interface Running {
  network: CaptioningNetwork;
  /** What the decoder began with: row n is image n. */
  first: DecoderState;
  state: DecoderState;
}

/** Low enough that no beam takes it. */
const NEVER = -1e9;

/**
 * Describes images side by side. Several networks of the same words are an ensemble: their probabilities are averaged at
 * each step.
 */
export function decodeBatch(...given: Parameters<typeof decode>): Decoded[][] {
  // What its steps keep for one another goes when they are all done.
  return step(() => decode(...given));
}

function decode(
  networks: readonly CaptioningNetwork[],
  images: ImageBatch,
  search: BeamOptions,
  { maxLength, never, attention = false }: DecodeOptions,
): Decoded[][] {
  const N = Object.values(images)[0]!.shape[0]!;
  const running = networks.map((network): Running => {
    network.eval();
    const first = step(() => noGrad(() => network.encode(images)));
    return { network, first, state: first };
  });
  /** The image of each row. */
  let shown = Int32Array.from({ length: N }, (_, n) => n);
  /** Where was looked, of each step: [rows, cells]. */
  const seen: Float32Array[] = [];
  const found = beamSearch(
    (parents, tokens) => {
      const before = shown;
      shown = parents.map((parent) => before[parent]!);
      const isSame = before.length === parents.length && shown.every((n, row) => n === before[row]);
      const { logProbs, weights } = advance(running, { parents, tokens, ...(!isSame && { images: shown }) });
      if (attention && weights) seen.push(weights.toArray() as Float32Array);
      const V = logProbs.length / parents.length;
      for (const token of never) for (let at = token; at < logProbs.length; at += V) logProbs[at] = NEVER;
      return logProbs;
    },
    { start: BOUNDARY, end: BOUNDARY, maxLengths: new Array<number>(N).fill(maxLength) },
    search,
  );
  if (seen.length === 0) return found;
  return found.map((list) =>
    list.map((one) => ({
      ...one,
      attention: one.rows.map((row, t) => rowOf(seen[t]!, row, running[0]!.first.memory!.mask.shape[2]!)),
    })),
  );
}

const rowOf = (values: Float32Array, row: number, width: number) =>
  values.slice(row * width, (row + 1) * width);

/** All networks by a step: ln of the mean of what they say. `images`, if rows are of others than before, says which. */
function advance(
  running: Running[],
  { parents, tokens, images }: { parents: Int32Array; tokens: Int32Array; images?: Int32Array },
): { logProbs: Float32Array; weights: Tensor | undefined } {
  const { states, ...said } = step(() =>
    noGrad(() => {
      const outs = running.map(({ network, first, state }) => {
        const recurrent = chooseStates(state.recurrent, parents);
        const memory = images ? chooseMemory(first.memory, images) : state.memory;
        const image = state.image && gather(state.image, tensor(parents), 0);
        const { logits, ...out } = network.decode(tensor(tokens, [1, tokens.length]), {
          recurrent,
          memory,
          image,
        });
        return { ...out, logProbs: logSoftmax(logits) };
      });
      const mean = () => log(div(outs.map(({ logProbs }) => exp(logProbs)).reduce(add), outs.length));
      return {
        logProbs: (outs.length === 1 ? outs[0]!.logProbs : mean()).toArray() as Float32Array,
        weights: outs[0]!.weights,
        states: outs.map(({ state }) => state),
      };
    }),
  );
  for (const [i, one] of running.entries()) one.state = states[i]!;
  return said;
}
