import { FormatError } from "../../errors.ts";
import { averageWeights } from "../../training/average.ts";
import { makeConfig } from "./config.ts";
import type { LanguageModelParts } from "./load.ts";
import { LanguageModelNetwork } from "./network.ts";

/** A model whose weights are the mean of several models'; what `LanguageModel.average` does. */
export function averageLanguageModels(models: readonly LanguageModelParts[]): LanguageModelParts {
  const [first, ...others] = models;
  if (!first) throw new FormatError("LanguageModel.average: there must be models to average, got none");
  for (const [i, other] of others.entries()) {
    const problems = differences(first, other);
    if (problems.length === 0) continue;
    throw new FormatError(
      `LanguageModel.average: model ${i + 2} is of another kind than the first:\n  ${problems.join("\n  ")}`,
    );
  }
  const network = new LanguageModelNetwork(first.network.config);
  network.loadStateDict(averageWeights(models.map((model) => model.network.stateDict())));
  const { tokenizer } = first;
  return { network, tokenizer, config: makeConfig(network.config, undefined) };
}

/** What counts in training alone. */
const regularisers = ["dropout", "variationalDropout", "weightDrop"];

/** Settings that decide what a weight means. */
function differences(first: LanguageModelParts, other: LanguageModelParts): string[] {
  const expected: Record<string, unknown> = { ...first.network.config };
  const given: Record<string, unknown> = { ...other.network.config };
  const problems: string[] = [];
  for (const name of Object.keys({ ...expected, ...given })) {
    if (regularisers.includes(name)) continue;
    if (JSON.stringify(given[name]) !== JSON.stringify(expected[name]))
      problems.push(`${name} must be ${expected[name]}, got ${given[name]}`);
  }
  const vocabulary = (model: LanguageModelParts) => JSON.stringify(model.tokenizer.toJSON());
  if (problems.length === 0 && vocabulary(first) !== vocabulary(other)) {
    problems.push("the vocabulary must be the same, token by token");
  }
  return problems;
}
