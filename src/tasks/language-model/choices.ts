import * as v from "valibot";
import { text } from "../../options.ts";

/** What a trained model's files, too, may name: kept apart from the options of a training, which its users need not load. */
export const cells = [
  "rnn",
  "lstm",
  "gru",
  "mrnn",
  "mlstm",
  "mingru",
  "minlstm",
  "qrnn",
  "lnlstm",
  "slstm",
] as const;
export const nonlinearities = ["tanh", "relu", "sigmoid"] as const;
/** Direct connections at most, which take half of the engine's memory, and the longest n-grams they may have. */
export const MAX_DIRECT = 2 ** 29;
export const MAX_ORDER = 20;

/** Where tokens are kept. */
export const cacheFolder = v.union(
  [v.literal(false), v.pipe(text(), v.nonEmpty())],
  "must be the path of a folder, or false",
);
