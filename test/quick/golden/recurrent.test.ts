import { describe, it } from "vitest";
import { GRU, LSTM, RNN } from "../../../src/nn/index.ts";
import type { Tensor } from "../../../src/tensor/tensor.ts";
import { checkGolden, readGolden, type Tensors } from "./golden.ts";

interface Options {
  hiddenSize: number;
  numLayers: number;
  bidirectional: boolean;
  nonlinearity?: "tanh" | "relu" | "sigmoid";
  omega?: number;
  projSize?: number;
}

const kinds = { rnn: RNN, lstm: LSTM, gru: GRU };

/** The layer with the weights of the case, as a computation of its inputs. */
function run(
  kind: keyof typeof kinds,
  { x, h0, c0, lengths, ...weights }: Tensors,
  options: Options,
): Tensors {
  const make = kinds[kind] as typeof LSTM;
  const layer = Object.assign(new make({ inputSize: x!.shape[2]!, ...options }), weights);
  const initial = { h: h0!, ...(c0 && { c: c0 }) } as { h: Tensor; c: Tensor };
  const { output, state } = layer.forward(x!, { lengths, ...(h0 && { state: initial }) });
  return { output, ...state };
}

describe.each(["rnn", "lstm", "gru"] as const)("%s agrees with PyTorch", (kind) => {
  for (const golden of readGolden<Options>(kind)) {
    it(golden.name, () => checkGolden(golden, (inputs, options) => run(kind, inputs, options)));
  }
});

describe("Pascanu's regulariser agrees with PyTorch", () => {
  for (const golden of readGolden<Options>("omega")) {
    it(golden.name, () => checkGolden(golden, (inputs, options) => run("rnn", inputs, options)));
  }
});
