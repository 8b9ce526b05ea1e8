import * as v from "valibot";
import { checkContent, formatVersion, oneOf, recordOf, wholeNumber } from "../../options.ts";
import { cells, nonlinearities } from "./options.ts";
import { problemNames } from "./problems.ts";

/** The version of config.json that is written. */
const CONFIG_VERSION = 1;

/** What the network is. */
const network = recordOf({
  problem: oneOf(problemNames),
  cell: oneOf(cells),
  /** Of cell rnn alone. */
  nonlinearity: v.optional(oneOf(nonlinearities)),
  hiddenSize: wholeNumber(1, 65_536),
  numLayers: wholeNumber(1, 64),
});

export type NetworkConfig = v.InferOutput<typeof network>;

const config = recordOf({
  formatVersion: formatVersion(CONFIG_VERSION),
  task: v.literal("memory", ({ input }) => `must be "memory", got ${JSON.stringify(input)}`),
  network,
  /** The options it was trained with, for the record. */
  training: v.optional(v.record(v.string(), v.unknown())),
});

/** What config.json holds. */
export type MemoryConfig = v.InferOutput<typeof config>;

export function makeConfig(network: NetworkConfig, training: Record<string, unknown>): MemoryConfig {
  return { formatVersion: CONFIG_VERSION, task: "memory", network, training };
}

export const readConfig = (json: unknown, file: string): MemoryConfig => checkContent(file, config, json);
