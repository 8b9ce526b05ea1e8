import { Dropout } from "../../nn/dropout.ts";
import { LayerNorm } from "../../nn/layer-norm.ts";
import { Linear } from "../../nn/linear.ts";
import { Module } from "../../nn/module.ts";
import { LSTM, type LSTMState } from "../../nn/recurrent/lstm.ts";
import type { SequenceOptions } from "../../nn/recurrent/recurrent.ts";
import { relu } from "../../ops/pointwise.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { NetworkConfig } from "./config.ts";

/** One level: an LSTM in both directions or one, what it says normalised if asked for. */
class Level extends Module {
  readonly lstm: LSTM;
  readonly norm: LayerNorm | undefined;
  readonly dropout: Dropout;

  constructor(inputSize: number, { hiddenSize, bidirectional, layerNorm, dropout }: NetworkConfig) {
    super();
    this.lstm = new LSTM({ inputSize, hiddenSize, bidirectional, forgetGateBias: 1 });
    this.norm = layerNorm ? new LayerNorm(this.lstm.outputSize) : undefined;
    this.dropout = new Dropout(dropout);
  }

  forward(x: Tensor, options: SequenceOptions<LSTMState>): { output: Tensor; state: LSTMState } {
    const { output, state } = this.lstm.forward(x, options);
    return { output: this.dropout.forward(this.norm ? this.norm.forward(output) : output), state };
  }
}

/**
 * Deep LSTMs, bidirectional as in Graves and Jaitly (2014) or forward only, and a linear layer that gives logits of the
 * labels at each step. In front there may be a convolution over time: its strided windows are what comes in, so it is a
 * linear layer on each of them, and the positive part of that.
 */
export class SpeechNetwork extends Module {
  readonly convolution: Linear | undefined;
  readonly levels: Level[];
  readonly output: Linear;
  readonly config: NetworkConfig;

  constructor(config: NetworkConfig) {
    super();
    this.config = config;
    const { inputSize, convolution, numLayers, classes } = config;
    this.convolution = convolution === undefined ? undefined : new Linear(inputSize, convolution);
    this.levels = [];
    let width = convolution ?? inputSize;
    for (let i = 0; i < numLayers; i++) {
      const level = new Level(width, config);
      this.levels.push(level);
      width = level.lstm.outputSize;
    }
    this.output = new Linear(width, classes);
  }

  /** windows [T, N, inputSize], of which sequence n has lengths[n] → logits [T, N, classes] */
  forward(windows: Tensor, lengths?: Tensor): Tensor {
    return this.read(windows, { lengths }).logits;
  }

  /** The same, with each level's state after it; levels that read forward only may go on from such states. */
  read(
    windows: Tensor,
    { lengths, states = [] }: { lengths?: Tensor | undefined; states?: readonly LSTMState[] },
  ): { logits: Tensor; states: LSTMState[] } {
    let x = this.convolution ? relu(this.convolution.forward(windows)) : windows;
    const after: LSTMState[] = [];
    for (const [i, level] of this.levels.entries()) {
      const { output, state } = level.forward(x, { lengths, state: states[i] });
      x = output;
      after.push(state);
    }
    return { logits: this.output.forward(x), states: after };
  }
}

/** How many numbers such a network has, without building it: a config nobody vouches for may ask for anything. */
export function countParameters(config: NetworkConfig): number {
  const { inputSize, convolution, hiddenSize: H, numLayers, bidirectional, layerNorm, classes } = config;
  const directions = bidirectional ? 2 : 1;
  const width = H * directions;
  const level = (input: number) => directions * 4 * H * (input + H + 2) + (layerNorm ? 2 * width : 0);
  const front = convolution === undefined ? 0 : convolution * (inputSize + 1);
  return front + level(convolution ?? inputSize) + (numLayers - 1) * level(width) + classes * (width + 1);
}
