import { constant, identity, normal, orthogonal } from "../../nn/init.ts";
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
import type { RecurrentInit } from "./options.ts";
import { problems } from "./problems.ts";

/** What a training begins with, see `MemoryOptions`. */
interface Start {
  forgetGateBias?: number | undefined;
  chrono?: number | undefined;
  omega?: number;
  recurrentInit?: RecurrentInit | undefined;
}

/** Recurrent layers, and a linear one that answers from the state of the last step or steps. */
export class MemoryNetwork extends Module {
  readonly rnn: RNN | LSTM | GRU;
  readonly output: Linear;
  readonly config: NetworkConfig;

  /** `start` says what a training begins with, and what it does to the gradient of W_hh. */
  constructor(config: NetworkConfig, start: Start = {}) {
    super();
    this.config = config;
    this.rnn = makeLayers(config, start);
    this.output = new Linear(config.hiddenSize, problems[config.problem].outputSize);
  }

  /** inputs [T, N, inputSize] → answers [answers, N, outputSize]: logits of classes, or a number. */
  forward(inputs: Tensor): Tensor {
    return this.answersOf(this.rnn.forward(inputs).output);
  }

  /** The answers for the layers' states [T, N, H]. */
  answersOf(states: Tensor): Tensor {
    const T = states.shape[0]!;
    return this.output.forward(slice(states, 0, T - problems[this.config.problem].answers, T));
  }

  /** The mean over the answers [answers, N, outputSize] of −ln P, or of the squared error. */
  loss(answers: Tensor, targets: Tensor): Tensor {
    if (problems[this.config.problem].answer === "class") return crossEntropy(answers, targets);
    return mean(square(sub(answers.reshape(...targets.shape), targets)));
  }
}

function makeLayers(config: NetworkConfig, { forgetGateBias, chrono, omega, recurrentInit }: Start) {
  const { problem, cell, nonlinearity = "tanh", hiddenSize, numLayers } = config;
  const options = { inputSize: problems[problem].inputSize, hiddenSize, numLayers };
  switch (cell) {
    case "rnn":
      return initialized(
        new RNN({ ...options, nonlinearity, ...(omega !== undefined && { omega }) }),
        recurrentInit,
      );
    case "gru":
      return new GRU(options);
    case "lstm":
      return new LSTM({ ...options, forgetGateBias, chrono });
  }
}

/**
 * W_hh hands the state on unchanged, or turned: then nothing else may come in at first. Biases, added at every step, would
 * pile up until the state saturates, and so would inputs.
 */
function initialized(rnn: RNN, kind: RecurrentInit | undefined): RNN {
  if (kind === undefined) return rnn;
  for (const [name, weight] of rnn.namedParameters()) {
    if (name.startsWith("bias")) constant(weight, 0);
    else if (name.startsWith("weight_ih")) normal(weight, 0, 0.01);
    else if (kind === "orthogonal") orthogonal(weight);
    else identity(weight);
  }
  return rnn;
}

const gates = { rnn: 1, gru: 3, lstm: 4 } as const;

/** How many numbers such a network has, without building it: a config nobody vouches for may ask for anything. */
export function countParameters({ problem, cell, hiddenSize: H, numLayers }: NetworkConfig): number {
  const { inputSize, outputSize } = problems[problem];
  const first = gates[cell] * H * (inputSize + H + 2);
  return first + (numLayers - 1) * gates[cell] * H * (2 * H + 2) + outputSize * (H + 1);
}
