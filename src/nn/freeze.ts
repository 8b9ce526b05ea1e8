import { OptionError } from "../errors.ts";
import { didYouMean } from "../options.ts";
import type { Module } from "./module.ts";

/**
 * Keeps parameters as they are: no gradient is computed for them, and an optimizer leaves them alone, weight decay
 * included. A pattern is a parameter's name, in which `*` stands for any characters: `embedding.*`, `rnn.*_l0`. Returns
 * the names of all that are frozen; `parameter.requiresGrad = true` thaws one.
 */
export function freeze(module: Module, patterns: Iterable<string>): string[] {
  const parameters = module.namedParameters();
  const names = [...parameters.keys()];
  const frozen = new Set<string>();
  for (const pattern of patterns) {
    const found = names.filter((name) => matches(pattern, name));
    if (found.length === 0) {
      const modules = [...module.namedModules().keys()].map((path) => `${path}.*`);
      throw new OptionError(
        `freeze: no parameter is called ${JSON.stringify(pattern)}${didYouMean(pattern, [...names, ...modules.slice(1)])}`,
      );
    }
    for (const name of found) frozen.add(name);
  }
  if (names.length > 0 && frozen.size === names.length) {
    throw new OptionError("freeze: nothing is left to train: every parameter is frozen");
  }
  for (const name of frozen) parameters.get(name)!.requiresGrad = false;
  return names.filter((name) => frozen.has(name));
}

function matches(pattern: string, name: string): boolean {
  const literal = pattern.split("*").map((part) => part.replace(/[.\\^$+?()[\]{}|]/g, "\\$&"));
  return new RegExp(`^${literal.join(".*")}$`, "s").test(name);
}
