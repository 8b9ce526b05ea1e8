import * as v from "valibot";
import { checkOptions, numberIn, recordOf, trueOrFalse, wholeNumber } from "../options.ts";

/** Where training stands: updates done and passes over the data completed, both from 0. */
export interface Moment {
  step: number;
  epoch: number;
}

/** What a schedule remembers: numbers, fit for JSON. */
export type ScheduleState = Readonly<Record<string, number>>;

/**
 * The learning rate over time. A schedule is a constant: what it remembers is a value that the trainer holds, hands in
 * and saves with its checkpoint.
 *
 *   let state = schedule.initial;
 *   optimizer.learningRate = schedule.learningRate({ step, epoch }, state);   // before every update
 *   state = schedule.validated(state, loss);                                  // after every validation
 */
export interface Schedule {
  readonly initial: ScheduleState;
  learningRate(moment: Moment, state: ScheduleState): number;
  validated(state: ScheduleState, loss: number): ScheduleState;
  /** Whether the training is over. */
  ended?(state: ScheduleState): boolean;
  /** Whether a validation that brought nothing better is followed by the best weights so far. */
  returns?: boolean;
}

function remembersNothing(learningRate: (moment: Moment) => number): Schedule {
  return { initial: {}, learningRate, validated: (state) => state };
}

const rate = numberIn({ from: 0 });
const fraction = numberIn({ above: 0, to: 1 });
const count = wholeNumber(0, 1_000_000_000);
const countFrom1 = wholeNumber(1, 1_000_000_000);

export function constantSchedule(learningRate: number): Schedule {
  checkOptions("constantSchedule", recordOf({ learningRate: rate }), { learningRate });
  return remembersNothing(() => learningRate);
}

/**
 * Multiplied by `factor` every `every` epochs, from the end of epoch number `after` on. Zaremba et al. 2014, small: after
 * 4, factor 0.5; char-rnn: after 10, factor 0.97.
 */
export function stepSchedule(
  learningRate: number,
  options: { factor?: number; every?: number; after?: number } = {},
): Schedule {
  const schema = recordOf({
    learningRate: rate,
    factor: v.optional(fraction, 0.5),
    every: v.optional(countFrom1, 1),
    after: v.optional(count, options.every ?? 1),
  });
  const { factor, every, after } = checkOptions("stepSchedule", schema, { learningRate, ...options });
  return remembersNothing(({ epoch }) => {
    const times = epoch < after ? 0 : 1 + Math.floor((epoch - after) / every);
    return learningRate * factor ** times;
  });
}

/**
 * Multiplied by `factor` when more than `patience` validations in a row failed to bring the loss below its best by the
 * fraction `minImprovement`; with `ramp`, once that has happened, after every validation ("newbob", as Mikolov's RNNLM
 * toolkit has it with factor 0.5 and minImprovement 0.003).
 */
export function plateauSchedule(
  learningRate: number,
  options: { factor?: number; minImprovement?: number; patience?: number; ramp?: boolean } = {},
): Schedule {
  const schema = recordOf({
    learningRate: rate,
    factor: v.optional(fraction, 0.5),
    minImprovement: v.optional(numberIn({ from: 0, below: 1 }), 0),
    patience: v.optional(count, 0),
    ramp: v.optional(trueOrFalse(), false),
  });
  const checked = checkOptions("plateauSchedule", schema, { learningRate, ...options });
  const { factor, minImprovement, patience, ramp } = checked;
  return {
    initial: {},
    learningRate: (_, state) => learningRate * (state.factor ?? 1),
    validated({ best, failures = 0, factor: sofar = 1 }, loss) {
      const target = best === undefined ? Number.POSITIVE_INFINITY : best - minImprovement * Math.abs(best);
      const failed = loss < target ? 0 : failures + 1;
      const due = failed > patience || (ramp && sofar < 1);
      return {
        factor: due ? sofar * factor : sofar,
        failures: due ? 0 : failed,
        best: best === undefined || loss < best ? loss : best,
      };
    },
  };
}

/**
 * As Mikolov's RNNLM toolkit (2011) has it: once a validation's loss is not below the last one's by the factor
 * `minImprovement`, the rate is multiplied by `factor` before each epoch, and the second time it is so the training is
 * over. A validation that is worse than the best is followed by the best weights.
 */
export function halvingSchedule(
  learningRate: number,
  options: { factor?: number; minImprovement?: number } = {},
): Schedule {
  const schema = recordOf({
    learningRate: rate,
    factor: v.optional(fraction, 0.5),
    minImprovement: v.optional(numberIn({ from: 1 }), 1.003),
  });
  const { factor, minImprovement } = checkOptions("halvingSchedule", schema, { learningRate, ...options });
  return {
    initial: {},
    returns: true,
    learningRate: (_, state) => learningRate * (state.factor ?? 1),
    validated({ last, failures = 0, factor: sofar = 1 }, loss) {
      const failed = last !== undefined && loss * minImprovement > last ? failures + 1 : failures;
      return { last: loss, failures: failed, factor: failed > 0 ? sofar * factor : sofar };
    },
    ended: ({ failures = 0 }) => failures > 1,
  };
}

/**
 * Rises linearly in `warmupSteps`, then falls along half a cosine to `minimum` at `totalSteps` (Loshchilov & Hutter
 * 2017).
 */
export function cosineSchedule(
  learningRate: number,
  options: { totalSteps: number; warmupSteps?: number; minimum?: number },
): Schedule {
  const schema = recordOf({
    learningRate: rate,
    totalSteps: countFrom1,
    warmupSteps: v.optional(wholeNumber(0, options.totalSteps - 1), 0),
    minimum: v.optional(rate, 0),
  });
  const checked = checkOptions("cosineSchedule", schema, { learningRate, ...options });
  const { totalSteps, warmupSteps, minimum } = checked;
  return remembersNothing(({ step }) => {
    if (step < warmupSteps) return (learningRate * (step + 1)) / warmupSteps;
    const done = Math.min(1, (step - warmupSteps) / (totalSteps - warmupSteps));
    return minimum + (learningRate - minimum) * 0.5 * (1 + Math.cos(Math.PI * done));
  });
}
