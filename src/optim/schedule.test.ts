import { describe, expect, it } from "vitest";
import {
  constantSchedule,
  cosineSchedule,
  plateauSchedule,
  type Schedule,
  stepSchedule,
} from "./schedule.ts";

const byEpoch = (schedule: Schedule, epochs: number) =>
  Array.from({ length: epochs }, (_, epoch) =>
    schedule.learningRate({ step: epoch * 100, epoch }, schedule.initial),
  );

/** Rates after each validation, the state going through JSON in between. */
function byLoss(schedule: Schedule, losses: number[]): number[] {
  let state = schedule.initial;
  return losses.map((loss, epoch) => {
    state = JSON.parse(JSON.stringify(schedule.validated(state, loss)));
    return schedule.learningRate({ step: 0, epoch }, state);
  });
}

it("constant stays", () => {
  expect(byEpoch(constantSchedule(0.1), 3)).toEqual([0.1, 0.1, 0.1]);
});

describe("step", () => {
  it("halves every epoch after the fourth (Zaremba et al. 2014, small)", () => {
    expect(byEpoch(stepSchedule(1, { after: 4 }), 7)).toEqual([1, 1, 1, 1, 0.5, 0.25, 0.125]);
  });

  it("falls every few epochs", () => {
    expect(byEpoch(stepSchedule(1, { every: 2, factor: 0.1 }), 5).map((x) => +x.toFixed(3))).toEqual([
      1, 1, 0.1, 0.1, 0.01,
    ]);
  });
});

describe("plateau", () => {
  it("halves when the loss does not fall", () => {
    expect(byLoss(plateauSchedule(1), [5, 4, 4, 3, 3.5, 3.2, 2])).toEqual([
      1, 1, 0.5, 0.5, 0.25, 0.125, 0.125,
    ]);
  });

  it("waits as long as it is patient", () => {
    expect(byLoss(plateauSchedule(1, { patience: 1 }), [5, 6, 6, 6, 6, 4])).toEqual([
      1, 1, 0.5, 0.5, 0.25, 0.25,
    ]);
  });

  it("wants an improvement worth having, and with ramp goes on halving", () => {
    const newbob = plateauSchedule(1, { minImprovement: 0.003, ramp: true });
    expect(byLoss(newbob, [5, 4.99, 4, 3])).toEqual([1, 0.5, 0.25, 0.125]);
    expect(byLoss(newbob, [5, 4.98, 4, 3])).toEqual([1, 1, 1, 1]);
  });
});

it("cosine warms up, falls and stays at the minimum", () => {
  const schedule = cosineSchedule(1, { warmupSteps: 4, totalSteps: 12, minimum: 0.2 });
  const rates = [0, 1, 3, 4, 8, 12, 50].map((step) =>
    schedule.learningRate({ step, epoch: 0 }, schedule.initial),
  );
  expect(rates.map((x) => +x.toFixed(6))).toEqual([0.25, 0.5, 1, 1, 0.6, 0.2, 0.2]);
});

it("options out of range are refused", () => {
  expect(() => constantSchedule(-1)).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: constantSchedule: learningRate must be a number 0 or more, got -1]`,
  );
  expect(() => stepSchedule(1, { factor: 1.5 })).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: stepSchedule: factor must be a number above 0 and at most 1, got 1.5]`,
  );
  expect(() => stepSchedule(1, { every: 0 })).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: stepSchedule: every must be a whole number from 1 to 1000000000, got 0]`,
  );
  expect(() => plateauSchedule(1, { minImprovement: 3 })).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: plateauSchedule: minImprovement must be a number 0 or more and below 1, got 3]`,
  );
  expect(() => cosineSchedule(1, { totalSteps: 5, warmupSteps: 5 })).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: cosineSchedule: warmupSteps must be a whole number from 0 to 4, got 5]`,
  );
});
