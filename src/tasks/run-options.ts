import * as v from "valibot";
import { OptionError } from "../errors.ts";
import { functionOf, numberIn, oneOf, text, trueOrFalse, wholeNumber } from "../options.ts";
import type { LogFormatName } from "../training/logs/run-log.ts";

const logFormats = ["csv", "tensorboard"] as const satisfies readonly LogFormatName[];

/** What a training can be told whatever it trains; `Event` is what it tells as it goes on. */
export interface RunOptions<Event> {
  /** The most updates. Default: as many as the epochs have. */
  maxSteps?: number;
  /** L2; decoupled for adamw. Default 0. */
  weightDecay?: number;
  /** Of schedule "plateau": what the rate is multiplied by. Default 0.5. */
  decay?: number;
  /** Of schedule "cosine": updates over which the rate rises from 0. Default 0. */
  warmup?: number;
  /** The gradient's norm is scaled down to this. Default 1. */
  clip?: number;
  /** Updates between validations. Default: one validation an epoch. */
  validateEvery?: number;
  /** Stop after this many validations that brought nothing better. Default: never. */
  patience?: number;
  /** Validate, and keep as the best, a moving average of the weights with this decay. Default: none. */
  ema?: number;
  /** Default 1. */
  seed?: number;
  /** Default: one for each processor. The result is the same for any number. */
  threads?: number;

  /** A new or empty folder for the model, its checkpoints and what a resume needs. Default: nothing is written. */
  out?: string;
  /**
   * Goes on with the training in `out` where it stopped, with the options it began with; epochs, maxSteps, patience, threads and
   * checkpointEvery may be others. The data must be the same. Begins if nothing has been trained there. Default false.
   */
  resume?: boolean;
  /** Updates between checkpoints, besides the one after each validation. Default: no others. */
  checkpointEvery?: number;
  /** Where the training is logged, one event a line in events.jsonl. Default: training/logs in `out`. */
  logDir?: string;
  /** What the log is written as besides: metrics.csv, and event files for TensorBoard. Default: neither. */
  log?: readonly (typeof logFormats)[number][];
  /** Updates between step events. Default: as many as there are in half a second. */
  logEvery?: number;
  onProgress?: (event: Event) => void;
  /** Ends the training early, as `patience` does: the model is the best so far. */
  signal?: AbortSignal;
}

const MAX_COUNT = 2 ** 31 - 1;
const count = wholeNumber(1, MAX_COUNT);

export const pathSchema = v.pipe(text(), v.nonEmpty("must not be empty"));

export const runEntries = <Event>() => ({
  maxSteps: v.optional(count),
  weightDecay: v.optional(numberIn({ from: 0 }), 0),
  decay: v.optional(numberIn({ above: 0, to: 1 })),
  warmup: v.optional(wholeNumber(0, MAX_COUNT)),
  clip: v.optional(numberIn({ above: 0 }), 1),
  validateEvery: v.optional(count),
  patience: v.optional(wholeNumber(1, 1_000_000)),
  ema: v.optional(numberIn({ from: 0, below: 1 })),
  seed: v.optional(wholeNumber(0, Number.MAX_SAFE_INTEGER), 1),
  threads: v.optional(wholeNumber(1, 256)),

  out: v.optional(pathSchema),
  resume: v.optional(trueOrFalse(), false),
  checkpointEvery: v.optional(count),
  logDir: v.optional(pathSchema),
  log: v.optional(v.array(oneOf(logFormats), `must be an array of ${logFormats.join(", ")}`)),
  logEvery: v.optional(count),
  onProgress: v.optional(functionOf<(event: Event) => void>()),
  signal: v.optional(v.instance(AbortSignal, "must be an AbortSignal")),
});

/** Options that mean nothing unless another has one of some values: [option, the other, its values]. */
export type Dependent<Options> = readonly (readonly [keyof Options, keyof Options, readonly string[]])[];

/** Refuses options that mean nothing beside the others. */
export function checkDependent<Options>(
  where: string,
  options: Options,
  dependent: Dependent<Options>,
): void {
  for (const [name, other, values] of dependent) {
    if (options[name] === undefined || values.includes(String(options[other]))) continue;
    const [option, of] = [String(name), String(other)];
    throw new OptionError(
      `${where}: ${option} is for ${of} ${values.join(" or ")}, got ${of} ${options[other]}`,
    );
  }
}

/** Refuses what needs a folder where there is none. */
export function checkFolders(
  where: string,
  options: { [K in "log" | "logDir" | "out" | "resume" | "checkpointEvery"]?: unknown },
): void {
  if (options.log && options.logDir === undefined && options.out === undefined) {
    throw new OptionError(`${where}: log needs a folder to write into: out or logDir`);
  }
  for (const name of ["resume", "checkpointEvery"] as const) {
    if (options[name] && options.out === undefined)
      throw new OptionError(`${where}: ${name} needs an \`out\``);
  }
}
