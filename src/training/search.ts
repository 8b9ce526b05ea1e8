import { Generator } from "../tensor/random.ts";

/** What an option may be set to. */
export type Setting = number | string | boolean;
/** Options by name. */
export type Settings = Readonly<Record<string, Setting>>;

/** An option with values to choose from. */
export interface Choice {
  readonly name: string;
  readonly values: readonly Setting[];
}

/** An option with a range to draw from. */
export interface Range {
  readonly name: string;
  readonly low: number;
  readonly high: number;
  /** Draw evenly by order of magnitude: as much between 0.001 and 0.01 as between 0.01 and 0.1. */
  readonly log: boolean;
  /** Whole numbers alone. */
  readonly whole: boolean;
}

/** Every combination of the choices, the last one changing first. */
export function gridSearch(choices: readonly Choice[]): Settings[] {
  let combinations: Settings[] = [{}];
  for (const { name, values } of choices) {
    combinations = combinations.flatMap((before) => values.map((value) => ({ ...before, [name]: value })));
  }
  return combinations;
}

const ATTEMPTS = 100;

/**
 * Combinations drawn at random, which for the same number of trainings find better ones than a grid does (Bergstra and
 * Bengio 2012). The first of them are the same for any count. Fewer than asked for if there are no more.
 */
export function randomSearch(
  dimensions: readonly (Choice | Range)[],
  count: number,
  seed: number,
): Settings[] {
  const generator = new Generator(seed);
  const drawn = new Map<string, Settings>();
  for (let attempt = 0; drawn.size < count && attempt < ATTEMPTS * count; attempt++) {
    const settings = Object.fromEntries(dimensions.map((from) => [from.name, draw(from, generator)]));
    const key = JSON.stringify(settings);
    if (!drawn.has(key)) drawn.set(key, settings);
  }
  return [...drawn.values()];
}

function draw(from: Choice | Range, generator: Generator): Setting {
  if ("values" in from) return from.values[generator.below(from.values.length)]!;
  const { low, high, log, whole } = from;
  const u = generator.uniform();
  if (whole && !log) return low + Math.floor(u * (high - low + 1));
  const x = log ? low * (high / low) ** u : low + u * (high - low);
  // Three figures: enough for any option, and short enough to read.
  return whole ? Math.round(x) : Math.min(high, Math.max(low, Number(x.toPrecision(3))));
}
