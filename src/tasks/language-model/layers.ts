import { UsageError } from "../../errors.ts";
import { GRU, type GRUState } from "../../nn/recurrent/gru.ts";
import type { LayerNormLSTM } from "../../nn/recurrent/layer-norm-lstm.ts";
import { LSTM, type LSTMState } from "../../nn/recurrent/lstm.ts";
import type { MinGRU, MinLSTM } from "../../nn/recurrent/minimal.ts";
import type { MLSTM, MRNN } from "../../nn/recurrent/multiplicative.ts";
import type { QRNN } from "../../nn/recurrent/qrnn.ts";
import { RNN, type RNNState } from "../../nn/recurrent/rnn.ts";
import type { SLSTM } from "../../nn/recurrent/slstm.ts";
import type { NetworkConfig } from "./config.ts";

export type RecurrentLayers =
  | (RNN | LSTM | GRU | MRNN | MLSTM | MinGRU | MinLSTM | QRNN)
  | (LayerNormLSTM | SLSTM);
export type RecurrentState = RNNState | LSTMState | GRUState;

/** What says which modules layers need. */
export type LayersToPrepare = Pick<NetworkConfig, "cell" | "zoneout" | "zoneoutCell">;

const simple: readonly string[] = ["rnn", "lstm", "gru"];
let more: typeof import("./more-layers.ts") | undefined;

/** Fetches the cells that few models have; to be awaited before layers of such a cell are made. */
export async function prepareLayers({ cell, zoneout, zoneoutCell }: LayersToPrepare): Promise<void> {
  if (!simple.includes(cell) || zoneout || zoneoutCell) more ??= await import("./more-layers.ts");
}

/** The forget gates of an LSTM begin with a bias of 1, so that it remembers (Gers et al. 2000). */
export function makeLayers(config: NetworkConfig): RecurrentLayers {
  const { zoneout: h, zoneoutCell: c } = config;
  const layers = makeCells(config);
  return h || c ? needed(config).withZoneout(layers as LSTM, { h, c }) : layers;
}

function needed({ cell }: NetworkConfig) {
  if (!more) throw new UsageError(`network: of cell ${cell}, \`prepareNetwork\` must be awaited first`);
  return more;
}

function makeCells(config: NetworkConfig): RecurrentLayers {
  const { cell, embeddingSize, hiddenSize, numLayers, dropout, nonlinearity } = config;
  const { variationalDropout = false, weightDrop = 0 } = config;
  const options = {
    ...{ inputSize: embeddingSize, hiddenSize, numLayers },
    ...{ dropout, variationalDropout, weightDrop },
  };
  switch (cell) {
    case "rnn":
      return new RNN({ ...options, nonlinearity: nonlinearity ?? "tanh" });
    case "gru":
      return new GRU(options);
    case "lstm":
      return new LSTM({ ...options, forgetGateBias: 1 });
    default:
      return new (needed(config)[cell])(options);
  }
}

/** Gates that read the input and, of the first line, the state. */
const gates = {
  ...{ rnn: 1, gru: 3, lstm: 4, mrnn: 1, mlstm: 4, lnlstm: 4, slstm: 4 },
  ...{ mingru: 2, minlstm: 3, qrnn: 3 },
};
const readingInputAlone: readonly string[] = ["mingru", "minlstm", "qrnn"];

/** How many numbers such layers have. */
export function countOfLayers({ cell, embeddingSize, hiddenSize: H, numLayers }: NetworkConfig): number {
  const readsState = !readingInputAlone.includes(cell);
  /** What a cell has besides, of a layer with so many inputs. */
  const others = (I: number) => {
    if (cell === "mrnn" || cell === "mlstm") return H * (I + H);
    return cell === "lnlstm" ? 10 * H : 0;
  };
  let count = 0;
  for (let layer = 0; layer < numLayers; layer++) {
    const I = layer === 0 ? embeddingSize : H;
    count += gates[cell] * H * (I + 1 + (readsState ? H + 1 : 0)) + others(I);
  }
  return count;
}
