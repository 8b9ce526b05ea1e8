import { noGrad, step } from "../../autograd/step.ts";
import type { ImageBatch } from "../../data/images/image-table.ts";
import { type BeamHypothesis, type BeamOptions, beamSearch } from "../../decoding/beam-search.ts";
import { BOUNDARY, DecoderSteps, type Seen } from "../../decoding/decoder-steps.ts";
import { packingOnce } from "../../ops/gemm.ts";
import type { CaptioningNetwork } from "./network.ts";

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

/**
 * Describes images side by side. Several networks of the same words are an ensemble: their probabilities are averaged at
 * each step.
 */
export function decodeBatch(
  networks: readonly CaptioningNetwork[],
  images: ImageBatch,
  search: BeamOptions,
  options: DecodeOptions,
): Decoded[][] {
  // What its steps keep for one another goes when they are all done.
  return step(() => packingOnce(() => noGrad(() => decode(networks, images, search, options))));
}

function decode(
  networks: readonly CaptioningNetwork[],
  images: ImageBatch,
  search: BeamOptions,
  { maxLength, never, attention = false }: DecodeOptions,
): Decoded[][] {
  const N = Object.values(images)[0]!.shape[0]!;
  const begun = networks.map((network) => ({ network, state: network.eval().encode(images) }));
  const steps = new DecoderSteps(begun, { count: search.beam ?? 1, never });
  /** Where was looked, of each step. */
  const seen: Seen[] = [];
  const found = beamSearch(
    (parents, tokens) => {
      const next = steps.next(parents, tokens);
      if (attention) seen.push(next.seen!);
      return next;
    },
    { start: BOUNDARY, end: BOUNDARY, sequences: new Array(N).fill({ maxLength }) },
    search,
  );
  if (!attention) return found;
  return found.map((list) =>
    list.map((one) => ({ ...one, attention: one.rows.map((row, t) => seen[t]!.of(row).slice()) })),
  );
}
