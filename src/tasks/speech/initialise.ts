import type { FeatureStatistics } from "../../data/audio/normalize.ts";
import { OptionError } from "../../errors.ts";
import type { SpeechConfig } from "./config.ts";
import type { SpeechOptions } from "./options.ts";

/** What a training takes over from the model that it begins with, besides its weights. */
export interface InitialSettings {
  labels: readonly string[];
  statistics?: FeatureStatistics | undefined;
}

/** Options that weights fit only as they were: of front end, labels and network. */
const settled = [
  ...["unit", "lowercase"],
  ...["features", "sampleRate", "filters", "coefficients", "low", "high", "deltas", "normalize"],
  ...["stack", "stride"],
  ...["convolution", "hiddenSize", "numLayers", "bidirectional", "layerNorm"],
] as (keyof SpeechOptions)[];

/** The options, with those that are the model's; such as are given must be the same. */
export function withModelSettings(given: SpeechOptions, config: SpeechConfig): SpeechOptions {
  const { unit, lowercase, frontEnd, network } = config;
  const { dropout, ...ofNetwork } = network;
  const model: Readonly<Record<string, unknown>> = { unit, lowercase, ...frontEnd, ...ofNetwork };
  const own = Object.fromEntries(
    settled.filter((name) => model[name] !== undefined).map((name) => [name, model[name]]),
  );
  for (const name of settled) {
    if (given[name] === undefined || given[name] === own[name]) continue;
    const expected = own[name] === undefined ? "left out" : JSON.stringify(own[name]);
    throw new OptionError(
      `SpeechRecognizer.train: ${name} must be ${expected}, as that of initFrom, got ${JSON.stringify(given[name])}`,
    );
  }
  return { dropout, ...given, ...own };
}
