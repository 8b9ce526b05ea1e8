import { type Point, smooth } from "../../plot/curve.ts";
import type { LineChart, Series } from "../../plot/line-chart.ts";
import type { LoggedEvent } from "../../training/logs/jsonl.ts";
import { numberOf } from "../../training/logs/run.ts";
import type { FoundRun } from "./find.ts";

/** What a chart can show, and what it says beside it. */
export const metrics = {
  loss: "loss (nats per token)",
  perplexity: "perplexity",
  "learning-rate": "learning rate",
  "grad-norm": "norm of the gradient",
  "parameter-norm": "norm of the parameters",
  "tokens-per-second": "tokens per second",
} as const;

export const axes = {
  step: "updates",
  epoch: "epochs",
  tokens: "tokens",
  minutes: "minutes",
} as const;

export interface PlotOptions {
  metric: keyof typeof metrics;
  x: keyof typeof axes;
  logX: boolean;
  logY: boolean;
  /** Entries that a point of the smoothed line is the mean of. Default: the fiftieth part of all. */
  smooth: number | undefined;
}

/** The curves of trainings in one picture: training faintly and smoothed, validation as marks. */
export function curvesOf(runs: readonly FoundRun[], options: PlotOptions): LineChart {
  const { metric, x, logX, logY } = options;
  const series = runs.flatMap((run, i) => seriesOf(run, options, runs.length > 1 ? i : undefined));
  const [only] = runs;
  const has = (style: Series["style"]) => series.some((one) => one.style === style);
  const parts = [
    ...(has("faint") ? ["faint: as measured, line: smoothed"] : []),
    ...(runs.length > 1 && has("marks") ? ["marks: validation"] : []),
  ];
  return {
    title: runs.length > 1 ? capital(metrics[metric]) : `${capital(metrics[metric])}: ${only!.name}`,
    ...(parts.length > 0 && { subtitle: parts.join(" · ") }),
    x: { label: axes[x], scale: logX ? "log" : "linear" },
    y: { label: metrics[metric], scale: logY ? "log" : "linear" },
    series,
  };
}

/** Of several runs each has a colour; of one alone, training and validation have. */
function seriesOf(run: FoundRun, options: PlotOptions, color: number | undefined): Series[] {
  const { metric } = options;
  const places = new Map(run.steps.map((event) => [event.step, placeOf(event, options.x)]));
  const raw = pointsOf(run.steps, metric, places);
  const validation = pointsOf(run.validations, metric, places);
  const width = options.smooth ?? raw.length / 50;
  const smoothed = width < 4 ? raw : smooth(raw, width);
  const name = color === undefined ? "training" : run.name;
  const series: Series[] = [];
  if (smoothed !== raw) series.push({ name, points: raw, style: "faint", color: color ?? 0 });
  if (raw.length > 0) series.push({ name, points: smoothed, color: color ?? 0 });
  if (validation.length > 0) {
    series.push({
      name: color === undefined ? "validation" : run.name,
      points: validation,
      style: "marks",
      color: color ?? 1,
    });
  }
  return series;
}

function pointsOf(
  events: readonly LoggedEvent[],
  metric: PlotOptions["metric"],
  places: ReadonlyMap<number, number | undefined>,
): Point[] {
  return events.flatMap((event) => {
    const at = places.get(event.step);
    const value = metricOf(event, metric);
    return at === undefined || value === undefined ? [] : [[at, value] as const];
  });
}

/** How far a training was at a step event. */
function placeOf(event: LoggedEvent, x: PlotOptions["x"]): number | undefined {
  switch (x) {
    case "epoch": {
      const [progress, epochs] = [numberOf(event, "progress"), numberOf(event, "epochs")];
      return progress === undefined || epochs === undefined ? undefined : progress * epochs;
    }
    case "minutes": {
      const seconds = numberOf(event, "seconds");
      return seconds === undefined ? undefined : seconds / 60;
    }
    default:
      return numberOf(event, x);
  }
}

function metricOf(event: LoggedEvent, metric: PlotOptions["metric"]): number | undefined {
  const value = numberOf(
    event,
    metric.replace(/-./g, (letters) => letters[1]!.toUpperCase()),
  );
  if (value !== undefined || metric !== "perplexity") return value;
  const loss = numberOf(event, "loss");
  return loss === undefined ? undefined : Math.exp(loss);
}

function capital(words: string): string {
  return words[0]!.toUpperCase() + words.slice(1).replace(/ \(.*/, "");
}
