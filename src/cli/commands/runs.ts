import { type Command, Option } from "commander";
import { FileError, OptionError } from "../../errors.ts";
import { writeFile } from "../../io/files.ts";
import { numberOf } from "../../training/logs/run.ts";
import { jsonFlag, numberFlag } from "../flags.ts";
import { differences } from "../logs/compare.ts";
import { axes, curvesOf, metrics, type PlotOptions } from "../logs/curves.ts";
import { type FoundRun, findRuns } from "../logs/find.ts";
import { examples } from "../ui/examples.ts";
import { compactNumber, duration, table } from "../ui/format.ts";

interface Flags {
  sort: keyof typeof orders;
  compare?: true;
  plot?: string;
  metric: PlotOptions["metric"];
  x: PlotOptions["x"];
  logX?: true;
  logY?: true;
  smooth?: number;
  json?: true;
}

/** What runs can be sorted by: the smallest first. */
const orders = {
  loss: (run: FoundRun) => numberOf(run.best, "loss") ?? Infinity,
  name: (run: FoundRun) => run.name,
  started: (run: FoundRun) => run.started ?? "",
  time: (run: FoundRun) => run.seconds,
  updates: (run: FoundRun) => run.step,
  speed: (run: FoundRun) => -(run.tokensPerSecond ?? 0),
} satisfies Record<string, (run: FoundRun) => string | number>;

export function define(command: Command): void {
  command
    .description("Lists the trainings whose logs lie in these folders or below; compares and plots them.")
    .argument("<dir...>", "folders of models, or folders that hold such")
    .addOption(choice("--sort <by>", "the least first; of speed, the fastest", orders, "loss"))
    .option("--compare", "show side by side what two or more were told differently")
    .addOption(jsonFlag("one JSON object a run, one a line; with --compare one in all"))
    .optionsGroup("Plot:")
    .option("--plot <file.svg>", "draw the curves: training as measured and smoothed, validation as marks")
    .addOption(choice("--metric <name>", "what goes up and down", metrics, "loss"))
    .addOption(choice("--x <name>", "what goes from left to right", axes, "step"))
    .option("--log-x", "a logarithmic scale from left to right")
    .option("--log-y", "a logarithmic scale up and down")
    .addOption(
      numberFlag("--smooth <n>", "entries to average over, 1 for none (default: the fiftieth part of all)"),
    )
    .action(runs);
  examples(command, [
    ["every training below a folder, the best first", "unrolled runs models"],
    ["what made the difference?", "unrolled runs models/a models/b --compare"],
    ["their curves", "unrolled runs models/a models/b --plot curves.svg"],
  ]);
}

function choice(flags: string, description: string, values: object, preset: string): Option {
  const names = Object.keys(values);
  return new Option(flags, `${description}: ${names.join(", ")}`)
    .default(preset)
    .argParser((name: string) => {
      if (names.includes(name)) return name;
      throw new OptionError(
        `${flags.split(" ")[0]} must be ${names.slice(0, -1).join(", ")} or ${names.at(-1)}, got ${JSON.stringify(name)}`,
      );
    });
}

async function runs(folders: string[], flags: Flags): Promise<void> {
  if (flags.smooth !== undefined && !(flags.smooth >= 1)) {
    throw new OptionError(`--smooth must be a number 1 or more, got ${flags.smooth}`);
  }
  const key = orders[flags.sort];
  const found = (await findRuns(folders)).sort((a, b) => order(key(a), key(b)) || order(a.name, b.name));
  if (found.length === 0) {
    throw new FileError(`${folders.join(", ")}: no training has a log there`, {
      hint: "`unrolled train … --out DIR` writes one into DIR/training/logs",
    });
  }
  if (flags.compare && found.length < 2) {
    throw new OptionError(`--compare needs two trainings or more, found ${found[0]!.name} alone`);
  }
  if (flags.plot !== undefined) await plot(flags.plot, found, flags);
  process.stdout.write(flags.json ? json(found, flags) : words(found, flags));
}

function order(a: string | number, b: string | number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

async function plot(file: string, found: FoundRun[], flags: Flags): Promise<void> {
  const { metric, x, logX = false, logY = false, smooth } = flags;
  const { lineChart } = await import("../../plot/line-chart.ts");
  const chart = curvesOf(found, { metric, x, logX, logY, smooth });
  if (chart.series.every(({ points }) => points.length === 0)) {
    throw new FileError(`${file}: not drawn, since no log has anything of ${metric}`);
  }
  await writeFile(file, lineChart(chart));
  if (!flags.json) process.stderr.write(`${file} holds the curves\n`);
}

function summary(run: FoundRun) {
  const { name, task, status, step, epoch, epochs, best, tokensPerSecond, seconds, started, options } = run;
  return {
    name,
    task,
    status,
    step,
    epoch,
    epochs,
    best: best && {
      step: best.step,
      loss: numberOf(best, "loss"),
      perplexity: numberOf(best, "perplexity"),
    },
    tokensPerSecond,
    seconds,
    started,
    options,
  };
}

function json(found: FoundRun[], { compare }: Flags): string {
  if (!compare) return found.map((run) => `${JSON.stringify(summary(run))}\n`).join("");
  const differing = Object.fromEntries(
    [...differences(found)].map(([name, values]) => [name, values.map((value) => value ?? null)]),
  );
  return `${JSON.stringify({ runs: found.map(summary), differences: differing })}\n`;
}

function words(found: FoundRun[], { compare }: Flags): string {
  return `${compare ? sideBySide(found) : listed(found)}\n`;
}

const headings = [
  "run",
  "task",
  "network",
  "updates",
  "epoch",
  "valid loss",
  "perplexity",
  "tokens/s",
  "time",
  "status",
];

function listed(found: FoundRun[]): string {
  const rows = [headings, ...found.map((run) => [run.name, run.task, ...cells(run), run.status])];
  // Figures stand below each other.
  const widths = headings.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return table(
    rows.map((row) =>
      row.map((cell, column) => (isFigure(headings[column]!) ? cell.padStart(widths[column]!) : cell)),
    ),
  );
}

const isFigure = (heading: string) => !["run", "task", "network", "status"].includes(heading);

/** What a run is and came to, in words: what stands under `headings` from the third on. */
function cells(run: FoundRun): string[] {
  const { options, step, epoch, epochs, best, tokensPerSecond, seconds } = run;
  const [loss, perplexity] = [numberOf(best, "loss"), numberOf(best, "perplexity")];
  return [
    networkOf(options),
    String(step),
    epochs === undefined ? String(epoch) : `${epoch}/${epochs}`,
    loss?.toFixed(4) ?? "–",
    perplexity === undefined ? "–" : perplexity.toPrecision(4),
    tokensPerSecond === undefined ? "–" : compactNumber(tokensPerSecond),
    duration(seconds),
  ];
}

function networkOf({ cell, numLayers, hiddenSize }: Record<string, unknown>): string {
  return [cell, numLayers && hiddenSize && `${numLayers}×${hiddenSize}`].filter(Boolean).join(" ") || "–";
}

/** A column for each run: how it went, and the options that are not the same for all. */
function sideBySide(found: FoundRun[]): string {
  const results = headings.slice(2, -1).map((heading, i) => [heading, ...found.map((run) => cells(run)[i]!)]);
  const differing = [...differences(found)].map(([name, values]) => [
    name,
    ...values.map((value) =>
      value === undefined ? "–" : typeof value === "string" ? value : JSON.stringify(value),
    ),
  ]);
  const rows = [
    ["", ...found.map(({ name }) => name)],
    ...results,
    ["status", ...found.map(({ status }) => status)],
    ["", ...found.map(() => "")],
    ...(differing.length > 0 ? differing : [["no option differs", ...found.map(() => "")]]),
  ];
  return table(rows).replace(/ +$/gm, "");
}
