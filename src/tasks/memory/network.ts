import { Linear } from "../../nn/linear.ts";
import { Module } from "../../nn/module.ts";
import { GRU } from "../../nn/recurrent/gru.ts";
import { LSTM } from "../../nn/recurrent/lstm.ts";
import { RNN } from "../../nn/recurrent/rnn.ts";
import { sub } from "../../ops/binary.ts";
import { crossEntropy } from "../../ops/cross-entropy.ts";
import { square } from "../../ops/pointwise.ts";
import { mean } from "../../ops/reduce.ts";
import { slice } from "../../ops/slice.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { NetworkConfig } from "./config.ts";
import { problems } from "./problems.ts";

/** Recurrent layers, and a linear one that answers from the state of the last step or steps. */
export class MemoryNetwork extends Module {
  readonly rnn: RNN | LSTM | GRU;
  readonly output: Linear;
  readonly config: NetworkConfig;

  /** `start` says what a training begins with, and what it does to the gradient of W_hh. */
  constructor(config: NetworkConfig, start: { forgetGateBias?: number; omega?: number } = {}) {
    super();
    this.config = config;
    this.rnn = makeLayers(config, start);
    this.output = new Linear(config.hiddenSize, problems[config.problem].outputSize);
  }

  /** inputs [T, N, inputSize] → answers [answers, N, outputSize]: logits of classes, or a number. */
  forward(inputs: Tensor): Tensor {
    const { output } = this.rnn.forward(inputs);
    const T = inputs.shape[0]!;
    return this.output.forward(slice(output, 0, T - problems[this.config.problem].answers, T));
  }

  /** The mean over the answers [answers, N, outputSize] of −ln P, or of the squared error. */
  loss(answers: Tensor, targets: Tensor): Tensor {
    if (problems[this.config.problem].answer === "class") return crossEntropy(answers, targets);
    return mean(square(sub(answers.reshape(...targets.shape), targets)));
  }
}

function makeLayers(
  config: NetworkConfig,
  { forgetGateBias, omega }: { forgetGateBias?: number; omega?: number },
) {
  const { problem, cell, nonlinearity = "tanh", hiddenSize, numLayers } = config;
  const options = { inputSize: problems[problem].inputSize, hiddenSize, numLayers };
  switch (cell) {
    case "rnn":
      return new RNN({ ...options, nonlinearity, ...(omega !== undefined && { omega }) });
    case "gru":
      return new GRU(options);
    case "lstm":
      return new LSTM({ ...options, forgetGateBias });
  }
}

const gates = { rnn: 1, gru: 3, lstm: 4 } as const;

/** How many numbers such a network has, without building it: a config nobody vouches for may ask for anything. */
export function countParameters({ problem, cell, hiddenSize: H, numLayers }: NetworkConfig): number {
  const { inputSize, outputSize } = problems[problem];
  const first = gates[cell] * H * (inputSize + H + 2);
  return first + (numLayers - 1) * gates[cell] * H * (2 * H + 2) + outputSize * (H + 1);
}
