import { join } from "node:path";
import type { Command, Option } from "commander";
import { OptionError } from "../../errors.ts";
import { didYouMean } from "../../options.ts";
import type { LanguageModelOptions } from "../../tasks/language-model/options.ts";
import type { Choice, Range, Setting, Settings } from "../../training/search.ts";
import { addFlags, jsonFlag, numberFlag, repeatedFlag } from "../flags.ts";
import { resultTable, showRuns } from "../runs.ts";
import { examples } from "../ui/examples.ts";
import { planTraining, type TrainingFlags, trainingFlags } from "./train-language-model.ts";

interface Flags extends Omit<TrainingFlags, "seeds" | "test"> {
  grid?: string[];
  random?: number;
  range?: string[];
}

/** Flags of a training that mean nothing to many of them. */
const single = new Set(["test", "seeds"]);

/** Does not change a result. */
const incidental = new Set(["threads"]);

export function define(command: Command): void {
  command
    .description(
      "Trains a language model for every combination of some options, or for a random sample of them, one " +
        "after the other. Each has a folder of its own, in runs.csv and runs.json is the table. The same " +
        "command again goes on where it stopped.",
    )
    .requiredOption("--out <dir>", "a new folder for the runs, or that of a sweep to go on with")
    .addOption(
      repeatedFlag("--grid <option=values>", "values of an option: hidden-size=64,128; may be repeated"),
    )
    .addOption(numberFlag("--random <n>", "draw so many combinations, instead of all of them"))
    .addOption(
      repeatedFlag(
        "--range <option=from..to>",
        "with --random, draw from a range: dropout=0..0.5, learning-rate=1e-4..1e-2:log",
      ),
    )
    .addOption(jsonFlag("one event a line as JSON: run, those of each training, sweep"));
  const fit = Object.entries(trainingFlags).map(([heading, options]) => [
    heading,
    options.filter((option) => !single.has(option.attributeName())),
  ]);
  addFlags(command, Object.fromEntries(fit));
  command.action(sweep);
  examples(command, [
    [
      "every combination",
      "unrolled sweep language-model --text book.txt --out runs/a --grid hidden-size=64,128 --grid dropout=0,0.2",
    ],
    [
      "nine at random",
      "unrolled sweep language-model --text book.txt --out runs/b --random 9 --range learning-rate=1e-4..0.01:log",
    ],
  ]);
}

async function sweep({ grid = [], random, range = [], json, ...flags }: Flags): Promise<void> {
  const { source, options } = planTraining(flags);
  const plan = await makePlan(grid, range, random, options.seed ?? 1);
  const runs = plan.map((settings) => ({ name: runName(settings), settings }));
  const { results } = await showRuns(source, options, runs, json === true);
  const { byValidLoss } = await import("../../tasks/language-model/runs.ts");
  const ranked = [...results].sort(byValidLoss);
  const best = ranked.find(({ failure }) => failure === undefined)?.run;
  if (json) {
    process.stdout.write(`${JSON.stringify({ type: "sweep", best: best ?? null, runs: ranked })}\n`);
    return;
  }
  process.stdout.write(`${resultTable(ranked)}\n\n${options.out} holds the runs, and runs.csv their table`);
  process.stdout.write(
    best === undefined ? "\n" : `; the best:\n  npx unrolled inspect ${join(options.out, best)}\n`,
  );
}

async function makePlan(
  grid: readonly string[],
  range: readonly string[],
  random: number | undefined,
  seed: number,
): Promise<Settings[]> {
  const { gridSearch, randomSearch } = await import("../../training/search.ts");
  const choices = grid.map(parseChoice);
  const ranges: Range[] = [];
  for (const text of range) ranges.push(await parseRange(text));
  const names = [...choices, ...ranges].map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice) throw new OptionError(`--grid and --range: ${flagOf(twice)} is there twice`);
  if (random === undefined) {
    if (ranges.length > 0) throw new OptionError("--range needs --random N: how many to draw");
    if (choices.length === 0) {
      throw new OptionError("--grid must name an option and its values, e.g. --grid hidden-size=64,128");
    }
    return gridSearch(choices);
  }
  if (!Number.isInteger(random) || random < 1) {
    throw new OptionError(`--random must be a whole number from 1, got ${random}`);
  }
  if (names.length === 0) {
    throw new OptionError("--random needs a --range or --grid to draw from, e.g. --range dropout=0..0.5");
  }
  return randomSearch([...choices, ...ranges], random, seed);
}

/** The training's flags that may be varied. */
const variable: Option[] = ["Tokens:", "Network:", "Training:"]
  .flatMap((heading) => trainingFlags[heading] ?? [])
  .filter((option) => !single.has(option.attributeName()) && !incidental.has(option.attributeName()));

function splitSpec(flag: string, text: string): { option: Option; rest: string } {
  const [, name = "", rest = ""] = /^(?:--)?([^=]*)=(.+)$/s.exec(text) ?? [];
  if (rest === "")
    throw new OptionError(`${flag} must be an option and its values, got ${JSON.stringify(text)}`);
  const option = variable.find(({ long }) => long === `--${name}`);
  if (!option) {
    const names = variable.map(({ long }) => long!.slice(2));
    throw new OptionError(`${flag}: ${name} is no option that can be varied${didYouMean(name, names)}`);
  }
  return { option, rest };
}

/** `hidden-size=64,128` */
function parseChoice(text: string): Choice {
  const { option, rest } = splitSpec("--grid", text);
  const values = rest.split(",").map((value) => parseValue(option, value.trim()));
  if (new Set(values).size < values.length) {
    throw new OptionError(`--grid: ${option.long!.slice(2)} has a value twice: ${rest}`);
  }
  return { name: option.attributeName(), values };
}

function parseValue(option: Option, text: string): Setting {
  if (option.parseArg) return option.parseArg<unknown>(text, undefined) as Setting;
  if (!option.isBoolean()) return text;
  if (text !== "true" && text !== "false") {
    throw new OptionError(`${option.long} must be true or false, got ${JSON.stringify(text)}`);
  }
  return text === "true";
}

/** `dropout=0..0.5`, `learning-rate=1e-4..1e-2:log` */
async function parseRange(text: string): Promise<Range> {
  const { option, rest } = splitSpec("--range", text);
  const [, from = "", to = "", scale] = /^(.+?)\.\.([^:]+)(:log)?$/.exec(rest) ?? [];
  const [low, high] = [Number(from || Number.NaN), Number(to || Number.NaN)];
  const log = scale !== undefined;
  if (!(low < high) || !Number.isFinite(high - low) || (log && low <= 0)) {
    throw new OptionError(
      `--range must be ${option.long!.slice(2)}=from..to, two numbers of which the first is smaller` +
        `${log ? " and, with :log, above 0" : ""}, got ${JSON.stringify(rest)}`,
    );
  }
  const { optionAccepts } = await import("../../tasks/language-model/options.ts");
  const name = option.attributeName() as keyof LanguageModelOptions;
  const whole = optionAccepts(name, low) && !optionAccepts(name, low + Math.min(0.5, (high - low) / 2));
  return { name, low, high, log, whole };
}

function flagOf(name: string): string {
  return variable.find((option) => option.attributeName() === name)!.long!.slice(2);
}

/** `hidden-size=64,dropout=0.2`: what is particular to a run is its folder's name. */
function runName(settings: Settings): string {
  return Object.entries(settings)
    .map(([name, value]) => `${flagOf(name)}=${value}`)
    .join(",");
}
