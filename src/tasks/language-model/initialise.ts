import type { Tokenizer } from "../../data/text/tokenizer.ts";
import { OptionError } from "../../errors.ts";
import { stateProblems } from "../../nn/state-dict.ts";
import { sameShape } from "../../tensor/shape.ts";
import { type Tensor, tensor } from "../../tensor/tensor.ts";
import type { InitialisedEvent, SomeTokens } from "./events.ts";
import { type LanguageModelParts, loadLanguageModel } from "./load.ts";
import type { LanguageModelNetwork } from "./network.ts";
import { checkInitFrom, type LanguageModelOptions } from "./options.ts";

/** A model to start training from, and what to call it. */
export interface StartingModel extends LanguageModelParts {
  readonly name: string;
}

/** The model that `initFrom` names, if it does. */
export async function readStartingModel(given: LanguageModelOptions): Promise<StartingModel | undefined> {
  const from = checkInitFrom("LanguageModel.train", given);
  if (from === undefined) return undefined;
  if (typeof from === "string") return { name: from, ...(await loadLanguageModel(from)) };
  return { name: "the model", network: from.network, tokenizer: from.tokenizer, config: from.config };
}

/** The options, with what the model has in place of the defaults. */
export function withModelDefaults(
  { config, tokenizer }: StartingModel,
  given: LanguageModelOptions,
): LanguageModelOptions {
  const { vocabularySize: _, nonlinearity, classes, cutoffs, resetAt, ...network } = config.network;
  const { cell = network.cell, unit = tokenizer.unit } = given;
  if (unit !== tokenizer.unit) {
    throw new OptionError(
      `LanguageModel.train: unit must be ${tokenizer.unit}, as that of initFrom, got ${unit}`,
    );
  }
  const explicit = Object.entries(given).filter(([, value]) => value !== undefined);
  const ofModel = Object.entries(network).filter(([, value]) => value !== undefined);
  return {
    unit,
    ...(given.keepTokenizer ? {} : splitOf(tokenizer)),
    ...Object.fromEntries(ofModel),
    ...(classes && { output: "classes", classes: classes.length }),
    ...(cutoffs && { output: "adaptive", cutoffs }),
    ...(resetAt !== undefined && { independent: true }),
    ...(nonlinearity && cell === "rnn" && { nonlinearity }),
    ...Object.fromEntries(explicit),
  };
}

/** How a tokenizer of words cuts text into them. */
function splitOf(tokenizer: Tokenizer): Pick<LanguageModelOptions, "split" | "lowercase"> {
  const { unit, split, lowercase } = tokenizer.toJSON() as LanguageModelOptions;
  return unit === "word" ? { ...(split && { split }), ...(lowercase !== undefined && { lowercase }) } : {};
}

/** Refuses other tokens than the model's where its output is not token by token: classes and clusters are of their numbers. */
export function checkTokens({ name, config, tokenizer: own }: StartingModel, tokenizer: Tokenizer): void {
  const { classes, cutoffs } = config.network;
  if (!classes && !cutoffs) return;
  const rows = rowsOf(tokenizer, own);
  if (rows.length === own.size && rows.every((row, token) => row === token)) return;
  const kind = classes ? "classes" : "adaptive";
  throw new OptionError(
    `LanguageModel.train: initFrom: ${name} has output ${kind}, which fits no vocabulary but its own`,
    { hint: "keepTokenizer keeps the model's vocabulary" },
  );
}

/**
 * Gives a new network the weights of a trained one. A token keeps its row of the embedding, of the output's weight and
 * of its bias, whatever its number in each vocabulary; tokens that the model does not know keep their random ones.
 */
export function initialise(
  network: LanguageModelNetwork,
  tokenizer: Tokenizer,
  from: StartingModel,
): InitialisedEvent {
  const rows = rowsOf(tokenizer, from.tokenizer);
  const own = network.namedParameters();
  const state = new Map<string, Tensor>();
  for (const [name, old] of from.network.stateDict()) {
    const fresh = own.get(name);
    state.set(name, byToken.has(name) && fresh ? mapRows(old, rows, fresh) : old);
  }
  const changed = changes(network, tokenizer, from);
  const problems = stateProblems(own, state);
  if (problems.length > 0) {
    const options = Object.entries(changed).map(
      ([option, { from, to }]) => `${option} ${to} (it has ${from})`,
    );
    throw new OptionError(
      `LanguageModel.train: initFrom: ${from.name} does not fit the network that was asked for:\n  ${problems.join("\n  ")}`,
      { hint: `leave out what is not the model's: ${options.join(", ")}` },
    );
  }
  network.loadStateDict(state);
  const kept = new Set(rows);
  const tokens = Array.from(rows, (_, token) => token);
  const oldTokens = Array.from({ length: from.tokenizer.size }, (_, token) => token);
  return {
    type: "initialised",
    from: from.name,
    shared: rows.filter((row) => row >= 0).length,
    added: someTokens(
      tokenizer,
      tokens.filter((token) => rows[token]! < 0),
    ),
    dropped: someTokens(
      from.tokenizer,
      oldTokens.filter((token) => !kept.has(token)),
    ),
    changed,
  };
}

/** Parameters with a row for each token. */
const byToken = new Set(["embedding.weight", "output.weight", "output.bias"]);

/** For each token of a vocabulary its number in another, or −1. */
function rowsOf(tokenizer: Tokenizer, other: Tokenizer): Int32Array {
  const numbers = new Map<string, number>();
  for (let token = 0; token < other.size; token++) numbers.set(other.name(token), token);
  return Int32Array.from({ length: tokenizer.size }, (_, token) => {
    return numbers.get(tokenizer.name(token)) ?? -1;
  });
}

/** The rows of `old` in the order of a new vocabulary, those of `fresh` where it has none. */
function mapRows(old: Tensor, rows: Int32Array, fresh: Tensor): Tensor {
  const shape = [rows.length, ...old.shape.slice(1)];
  const width = old.size / old.shape[0]!;
  const from = old.toArray();
  // Of another width, it is refused by its shape.
  const values = sameShape(shape, fresh.shape) ? fresh.toArray() : new Float32Array(rows.length * width);
  for (const [token, row] of rows.entries()) {
    if (row >= 0) values.set(from.subarray(row * width, (row + 1) * width), token * width);
  }
  return tensor(values, shape);
}

/** The settings of the network and of the way text becomes tokens that are not the model's. */
function changes(
  network: LanguageModelNetwork,
  tokenizer: Tokenizer,
  from: StartingModel,
): InitialisedEvent["changed"] {
  const settings = ({ config }: LanguageModelNetwork, tokenizer: Tokenizer) => {
    const { vocabularySize: _, classes, cutoffs, ...others } = config;
    const output = {
      ...(classes && { classes: classes.length }),
      ...(cutoffs && { cutoffs: cutoffs.join() }),
    };
    return { ...others, ...output, ...splitOf(tokenizer) };
  };
  const then: Record<string, unknown> = settings(from.network, from.tokenizer);
  const now: Record<string, unknown> = settings(network, tokenizer);
  const changed: Record<string, { from: unknown; to: unknown }> = {};
  for (const name of Object.keys({ ...then, ...now })) {
    if (now[name] !== then[name]) changed[name] = { from: then[name] ?? "none", to: now[name] ?? "none" };
  }
  return changed as InitialisedEvent["changed"];
}

const SHOWN = 100;

function someTokens(tokenizer: Tokenizer, tokens: number[]): SomeTokens {
  return { count: tokens.length, tokens: tokens.slice(0, SHOWN).map((token) => tokenizer.decode([token])) };
}
