/** Cells that few models have, by the names that `cell` has for them, and what few do with their cells. */
export { LayerNormLSTM as lnlstm } from "../../nn/recurrent/layer-norm-lstm.ts";
export { MinGRU as mingru, MinLSTM as minlstm } from "../../nn/recurrent/minimal.ts";
export { MLSTM as mlstm, MRNN as mrnn } from "../../nn/recurrent/multiplicative.ts";
export { QRNN as qrnn } from "../../nn/recurrent/qrnn.ts";
export { SLSTM as slstm } from "../../nn/recurrent/slstm.ts";
export { withZoneout } from "../../nn/recurrent/zoneout.ts";
