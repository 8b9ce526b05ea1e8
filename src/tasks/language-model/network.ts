import { ready } from "../../engine/engine.ts";
import { UsageError } from "../../errors.ts";
import type { AdaptiveOutput } from "../../nn/adaptive-output.ts";
import type { ClassOutput } from "../../nn/class-output.ts";
import { Dropout } from "../../nn/dropout.ts";
import { Embedding } from "../../nn/embedding.ts";
import { Linear } from "../../nn/linear.ts";
import { Module } from "../../nn/module.ts";
import type { LSTM, LSTMState } from "../../nn/recurrent/lstm.ts";
import type { ClassCrossEntropyOptions } from "../../ops/class-cross-entropy.ts";
import { crossEntropy } from "../../ops/cross-entropy.ts";
import { sigmoid } from "../../ops/pointwise.ts";
import { concat, slice } from "../../ops/slice.ts";
import type { Shape } from "../../tensor/shape.ts";
import { type Tensor, tensor } from "../../tensor/tensor.ts";
import type { NetworkConfig } from "./config.ts";
import {
  countOfLayers,
  type LayersToPrepare,
  makeLayers,
  prepareLayers,
  type RecurrentLayers,
  type RecurrentState,
} from "./layers.ts";
import { type StreamState, type TokenStream, TokenStreams } from "./stream.ts";

/** What the recurrent layers hold and, with direct connections, the tokens before. */
export type NetworkState = RecurrentState & { before?: Tensor };

/** What a network reads, and where in it. */
export interface Reading {
  /** int32 [T, N] */
  inputs: Tensor;
  /** int32 [T − history, N], of the last inputs. */
  targets: Tensor;
  /** How many of the inputs are there for gradients to flow back through, and have no targets. Default 0. */
  history?: number;
  /** After how many of the inputs the state is handed on. Default: all. */
  carry?: number;
  /** int32 [N]: how many of the inputs there are of each. Default: all. */
  lengths?: Tensor | undefined;
}

export interface LossOptions extends ClassCrossEntropyOptions {
  /** Is shown what the recurrent layers say, before and after dropout. */
  watch?: ((hidden: Tensor, dropped: Tensor) => void) | undefined;
  /** What takes the place of a softmax over all words. */
  softmaxLoss?: ((x: Tensor, output: Linear, targets: Tensor) => Tensor) | undefined;
}

let classOutput: typeof ClassOutput | undefined;
let adaptive: typeof import("../../nn/adaptive-output.ts") | undefined;
let sides: typeof import("./both-sides.ts") | undefined;

/** Fetches what only some networks have, as classes; to be awaited before one is made. */
export async function prepareNetwork(
  config: LayersToPrepare & Pick<NetworkConfig, "classes" | "cutoffs" | "bidirectional">,
): Promise<void> {
  await prepareLayers(config);
  if (config.classes) classOutput ??= (await import("../../nn/class-output.ts")).ClassOutput;
  if (config.cutoffs) adaptive ??= await import("../../nn/adaptive-output.ts");
  if (config.bidirectional) sides ??= await import("./both-sides.ts");
  await ready();
}

function neededForCutoffs() {
  if (!adaptive) throw new UsageError("network: with cutoffs, `prepareNetwork` must be awaited first");
  return adaptive;
}

/**
 * Embedding → dropout → recurrent layers → dropout → (compression: linear, sigmoid →) linear, or classes; of a
 * bidirectional one a second stack of layers, which reads from the end, see both-sides.ts. The loss begins at ln V: all
 * tokens are about equally likely.
 */
export class LanguageModelNetwork extends Module {
  readonly embedding: Embedding;
  readonly rnn: RecurrentLayers;
  /** Reads from the end, where the network is bidirectional. */
  readonly backward: RecurrentLayers | undefined;
  readonly compression: Linear | undefined;
  readonly output: Linear | ClassOutput | AdaptiveOutput;
  readonly embeddingDropout: Dropout;
  readonly outputDropout: Dropout;
  readonly config: NetworkConfig;
  #streams: TokenStreams | undefined;

  constructor(config: NetworkConfig) {
    super();
    const { vocabularySize, embeddingSize, hiddenSize, dropout, tieWeights } = config;
    this.config = config;
    this.embedding = new Embedding(vocabularySize, embeddingSize);
    this.rnn = makeLayers(config);
    if (config.bidirectional) {
      if (!sides)
        throw new UsageError("network: to be bidirectional, `prepareNetwork` must be awaited first");
      this.backward = makeLayers(config);
    }
    const { classes, cutoffs, compression, direct = 0, directOrder = 0 } = config;
    if (compression !== undefined) this.compression = new Linear(hiddenSize, compression);
    const inFeatures = compression ?? hiddenSize * (config.bidirectional ? 2 : 1);
    if (classes) {
      if (!classOutput) throw new UsageError("network: with classes, `prepareNetwork` must be awaited first");
      this.output = new classOutput({ inFeatures, vocabularySize, classes, direct, directOrder });
    } else if (cutoffs) {
      this.output = new (neededForCutoffs().AdaptiveOutput)({ inFeatures, vocabularySize, cutoffs });
    } else this.output = new Linear(inFeatures, vocabularySize);
    const { variationalDropout: variational = false } = config;
    this.embeddingDropout = new Dropout(dropout, { variational });
    this.outputDropout = new Dropout(dropout, { variational });
    // The output's initial weights: the embedding's are too large for logits.
    if (tieWeights && "weight" in this.output)
      (this.embedding as { weight: Tensor }).weight = this.output.weight;
  }

  /** tokens [T, N] → logits [T, N, V] (of classes and clusters: ln P), and the state to carry on with. */
  forward(tokens: Tensor, state?: NetworkState): { logits: Tensor; state: NetworkState } {
    const { hidden, hashes, state: next } = this.read(tokens, state);
    return { logits: this.output.forward(this.compress(hidden), hashes), state: next };
  }

  /** −ln P of the targets, their mean unless options say otherwise, and the state to carry on with. */
  loss(
    reading: Reading,
    state?: NetworkState,
    options: LossOptions = {},
  ): { loss: Tensor; state: NetworkState } {
    const { inputs, targets, history = 0, carry = inputs.shape[0]!, lengths } = reading;
    const [T, N] = inputs.shape as [number, number];
    if (this.backward) {
      return { loss: sides!.lossOfBothSides(this, reading, options), state: this.zeroState(N) };
    }
    // Where the state to hand on is one in the middle, it takes two readings; gradients flow through both.
    const parts = carry > 0 && carry < T;
    let {
      hidden,
      hashes,
      state: next,
    } = this.read(parts ? slice(inputs, 0, 0, carry) : inputs, state, lengths);
    if (parts) {
      const rest = this.read(slice(inputs, 0, carry), next);
      hidden = concat([hidden, rest.hidden], 0);
      hashes &&= concat([hashes, rest.hashes!], 0);
    } else if (carry === 0) next = state ?? this.zeroState(N);
    if (history > 0) {
      hidden = slice(hidden, 0, history);
      hashes &&= slice(hashes, 0, history);
    }
    const loss = this.lossOf(hidden, targets, hashes, options);
    return { loss, state: next };
  }

  /** @internal −ln P of targets [T, N] for what the layers say, hidden [T, N, H]. */
  lossOf(hidden: Tensor, targets: Tensor, hashes?: Tensor, options: LossOptions = {}): Tensor {
    const { output } = this;
    const x = this.compress(hidden, options.watch);
    if (!(output instanceof Linear)) return output.loss(x, targets, options, hashes);
    return options.softmaxLoss?.(x, output, targets) ?? crossEntropy(output.forward(x), targets, options);
  }

  /** For what goes from left to right. */
  refuseBidirectional(what: string): void {
    if (!this.backward) return;
    throw new UsageError(`LanguageModel: a bidirectional model cannot ${what}`, {
      hint: "each token needs those after it: it is for `fill`, and for `evaluate`",
    });
  }

  /** Of a bidirectional network: what it knows of the targets from each side, [T, N, H]. */
  bothSides(reading: Reading): [left: Tensor, right: Tensor] {
    return sides!.bothSides(this, reading);
  }

  /** @internal What the recurrent layers say of tokens [T, N], and hashes of n-grams where there are direct connections. */
  read(
    tokens: Tensor,
    state?: NetworkState,
    lengths?: Tensor,
  ): { hidden: Tensor; hashes: Tensor | undefined; state: NetworkState } {
    const { before = this.#nothing(tokens), ...layers } = state ?? {};
    const embedded = this.embeddingDropout.forward(this.embedding.forward(tokens));
    // Which state belongs to which layer, the type of `rnn` does not say.
    const run = (this.rnn as LSTM).forward(embedded, { state: state && (layers as LSTMState), lengths });
    const hidden = run.output;
    if (!before || !("hashes" in this.output)) return { hidden, hashes: undefined, state: run.state };
    const { hashes, next } = this.output.hashes(tokens, before);
    return { hidden, hashes, state: { ...run.state, before: next } };
  }

  /** @internal What the output reads. */
  compress(hidden: Tensor, watch?: LossOptions["watch"]): Tensor {
    const x = this.outputDropout.forward(hidden);
    watch?.(hidden, x);
    return this.compression ? sigmoid(this.compression.forward(x)) : x;
  }

  /** What stands for the tokens before a text's first; undefined where none are needed. */
  #nothing({ shape: [, N = 0] }: { shape: Shape }): Tensor | undefined {
    const { direct, directOrder = 0 } = this.config;
    if (!direct) return undefined;
    return tensor(new Float32Array((directOrder - 1) * N).fill(-1), [directOrder - 1, N]);
  }

  /** The state at the beginning of N texts. */
  zeroState(N: number): NetworkState {
    const before = this.#nothing({ shape: [0, N] });
    return { ...this.rnn.zeroState(N), ...(before && { before }) } as NetworkState;
  }

  /** Whether what comes after a token has nothing to do with what was before it. */
  beginsAnewAt(token: number): boolean {
    return token === this.config.resetAt;
  }

  /** Runs token by token, from the beginning of a text or from where another stream was. */
  stream(from?: StreamState): TokenStream {
    this.#streams ??= new TokenStreams(this);
    return this.#streams.create(from);
  }
}

/** How many numbers such a network has, without building it: a config nobody vouches for may ask for anything. */
export function countParameters(config: NetworkConfig): number {
  const { vocabularySize, embeddingSize, hiddenSize, tieWeights, bidirectional } = config;
  const { classes = [], cutoffs, compression, direct = 0 } = config;
  const directions = bidirectional ? 2 : 1;
  const width = compression ?? hiddenSize * directions;
  let count = vocabularySize * embeddingSize + classes.length * (width + 1) + direct;
  if (compression !== undefined) count += compression * (hiddenSize + 1);
  if (cutoffs) count += neededForCutoffs().countOfAdaptive({ inFeatures: width, vocabularySize, cutoffs });
  else count += vocabularySize * (tieWeights ? 1 : width + 1);
  return count + directions * countOfLayers(config);
}
