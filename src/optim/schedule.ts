import { OptionError } from "../errors.ts";

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
}

function remembersNothing(learningRate: (moment: Moment) => number): Schedule {
  return { initial: {}, learningRate, validated: (state) => state };
}

function check(schedule: string, name: string, value: number, ok: boolean, range: string): void {
  if (!ok) throw new OptionError(`${schedule}: ${name} must be ${range}, got ${value}`);
}

function checkRate(schedule: string, learningRate: number): void {
  check(schedule, "learningRate", learningRate, learningRate >= 0, "a number from 0 up");
}

function checkFactor(schedule: string, factor: number): void {
  check(schedule, "factor", factor, factor > 0 && factor <= 1, "above 0 and at most 1");
}

export function constantSchedule(learningRate: number): Schedule {
  checkRate("constantSchedule", learningRate);
  return remembersNothing(() => learningRate);
}

/**
 * Multiplied by `factor` every `every` epochs, from the end of epoch number `after` on. Zaremba et al. 2014, small: after
 * 4, factor 0.5; char-rnn: after 10, factor 0.97.
 */
export function stepSchedule(
  learningRate: number,
  { factor = 0.5, every = 1, after = every }: { factor?: number; every?: number; after?: number } = {},
): Schedule {
  checkRate("stepSchedule", learningRate);
  checkFactor("stepSchedule", factor);
  check("stepSchedule", "every", every, every >= 1, "1 or more epochs");
  check("stepSchedule", "after", after, after >= 0, "0 or more epochs");
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
  const { factor = 0.5, minImprovement = 0, patience = 0, ramp = false } = options;
  checkRate("plateauSchedule", learningRate);
  checkFactor("plateauSchedule", factor);
  check("plateauSchedule", "patience", patience, patience >= 0, "0 or more validations");
  check(
    "plateauSchedule",
    "minImprovement",
    minImprovement,
    minImprovement >= 0 && minImprovement < 1,
    "from 0 to below 1",
  );
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
 * Rises linearly in `warmupSteps`, then falls along half a cosine to `minimum` at `totalSteps` (Loshchilov & Hutter
 * 2017).
 */
export function cosineSchedule(
  learningRate: number,
  {
    totalSteps,
    warmupSteps = 0,
    minimum = 0,
  }: { totalSteps: number; warmupSteps?: number; minimum?: number },
): Schedule {
  checkRate("cosineSchedule", learningRate);
  check("cosineSchedule", "totalSteps", totalSteps, totalSteps >= 1, "1 or more");
  const fits = warmupSteps >= 0 && warmupSteps < totalSteps;
  check("cosineSchedule", "warmupSteps", warmupSteps, fits, "from 0 to below totalSteps");
  check("cosineSchedule", "minimum", minimum, minimum >= 0, "a number from 0 up");
  return remembersNothing(({ step }) => {
    if (step < warmupSteps) return (learningRate * (step + 1)) / warmupSteps;
    const done = Math.min(1, (step - warmupSteps) / (totalSteps - warmupSteps));
    return minimum + (learningRate - minimum) * 0.5 * (1 + Math.cos(Math.PI * done));
  });
}
