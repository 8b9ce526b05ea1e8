import { type Command, Option } from "commander";
import { OptionError } from "../errors.ts";

/** A flag that takes a number. Whether it is in range, the library knows. */
export function numberFlag(flags: string, description: string): Option {
  const option = new Option(flags, description);
  return option.argParser((text: string) => {
    const value = Number(text);
    if (text.trim() === "" || !Number.isFinite(value)) {
      throw new OptionError(`${option.long} must be a number, got ${JSON.stringify(text)}`);
    }
    return value;
  });
}

/** A flag that may be given several times. */
export function repeatedFlag(flags: string, description: string): Option {
  return new Option(flags, description).argParser((text: string, before: string[] = []) => [...before, text]);
}

/** A flag that takes numbers: 0.9,1,1.1. */
export function numbersFlag(flags: string, description: string): Option {
  const option = new Option(flags, description);
  return option.argParser((text: string) => {
    const numbers = text.split(",").map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
    if (numbers.every(Number.isFinite)) return numbers;
    throw new OptionError(`${option.long} must be numbers, 0.9,1,1.1, got ${JSON.stringify(text)}`);
  });
}

/** A flag that takes whole numbers: 16,32,64. */
export function wholeNumbersFlag(flags: string, description: string): Option {
  const option = new Option(flags, description);
  return option.argParser((text: string) => {
    const numbers = wholeNumbers(text);
    if (numbers) return numbers;
    throw new OptionError(`${option.long} must be whole numbers, 16,32,64, got ${JSON.stringify(text)}`);
  });
}

function wholeNumbers(text: string): number[] | undefined {
  const parts = text.split(",");
  return parts.every((part) => /^\s*\d+\s*$/.test(part)) ? parts.map(Number) : undefined;
}

/** A flag that takes seeds: 1,2,3, or how many, which are then 1, 2, 3, … */
export function seedsFlag(flags: string, description: string): Option {
  const option = new Option(flags, description);
  return option.argParser((text: string) => {
    const numbers = wholeNumbers(text) ?? [];
    const seeds = numbers.length > 1 ? numbers : Array.from({ length: numbers[0] || 0 }, (_, i) => i + 1);
    if (seeds.length === 0 || new Set(seeds).size < seeds.length) {
      throw new OptionError(
        `${option.long} must be different whole numbers, 1,2,3, or how many, got ${JSON.stringify(text)}`,
      );
    }
    return seeds;
  });
}

/** A flag that takes a length, 100, or two, 50-200: the least and the greatest. */
export function lengthFlag(flags: string, description: string): Option {
  const option = new Option(flags, description);
  return option.argParser((text: string) => {
    const [, from, to] = /^(\d+)(?:-(\d+))?$/.exec(text) ?? [];
    if (from === undefined) {
      throw new OptionError(
        `${option.long} must be a length, 100, or two, 50-200, got ${JSON.stringify(text)}`,
      );
    }
    return to === undefined ? Number(from) : [Number(from), Number(to)];
  });
}

/** Adds flags to a command's help, under headings. */
export function addFlags(command: Command, flags: Readonly<Record<string, readonly Option[]>>): void {
  for (const [heading, options] of Object.entries(flags)) {
    if (options.length > 0) command.optionsGroup(heading);
    for (const option of options) command.addOption(option.helpGroup(heading));
  }
}

/** The flags of a training that can be gone on with. */
export const checkpointFlags = () => [
  new Option(
    "--resume",
    "go on with the training in --out where it stopped; begin if there is none. Its options hold, and may be left out",
  ),
  numberFlag("--checkpoint-every <n>", "updates between checkpoints besides those after each validation"),
];

/** The flags of a learning rate that changes, and of what goes with it. */
export const rateFlags = (schedule: string, clip = 1) => [
  numberFlag("--weight-decay <x>", "L2 penalty; decoupled for adamw (default: 0)"),
  new Option("--schedule <name>", `constant, plateau or cosine (default: ${schedule})`),
  numberFlag("--decay <x>", "of plateau: what the rate is multiplied by (default: 0.5)"),
  numberFlag("--warmup <n>", "of cosine: updates over which the rate rises from 0 (default: 0)"),
  numberFlag("--clip <x>", `the norm that gradients are scaled down to (default: ${clip})`),
];

/** The flags that say when a training validates and stops, and how it is computed. */
export const runFlags = () => [
  numberFlag("--validate-every <n>", "updates between validations (default: one validation an epoch)"),
  numberFlag("--patience <n>", "stop after this many validations without a better one (default: never)"),
  numberFlag("--ema <x>", "validate and keep an average of the weights with this decay, e.g. 0.999"),
  numberFlag("--seed <n>", "of all random numbers (default: 1)"),
  threadsFlag(),
];

/** The flags of a training's log. */
export const logFlags = () => [
  new Option("--log-dir <dir>", "where events.jsonl goes (default: training/logs in --out)"),
  repeatedFlag("--log <format>", "write it as csv or tensorboard too; may be given again"),
  numberFlag("--log-every <n>", "updates between entries (default: two entries a second)"),
];

/** The flags every command has that computes for long. */
export const threadsFlag = () =>
  numberFlag(
    "--threads <n>",
    "threads to compute with; results do not depend on it (default: all processors)",
  );

export const int8Flag = () =>
  new Option(
    "--int8",
    "weights in eight bits: a quarter of the memory, faster where they are many, a little less exact",
  );

export const jsonFlag = (what: string) => new Option("--json", `print ${what}`);

export async function useThreads(count: number | undefined): Promise<void> {
  if (count === undefined) return;
  const { setThreads } = await import("../engine/engine.ts");
  setThreads(count);
}
