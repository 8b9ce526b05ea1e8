import { readFileSync } from "node:fs";
import { describe, it } from "vitest";
import { cosineSchedule, plateauSchedule, type Schedule, stepSchedule } from "../../../src/optim/index.ts";
import { expectClose } from "../../../src/testing/check-op.ts";

interface Case {
  schedule: "step" | "cosine" | "plateau";
  options: { totalSteps: number };
  /** What the schedule is told after each step; if nothing, it looks at the number of steps. */
  losses?: number[];
  rates: number[];
}

const file = new URL("../../golden/schedules.json", import.meta.url);
const golden = JSON.parse(readFileSync(file, "utf8")) as { learningRate: number; cases: Case[] };
const make = { step: stepSchedule, cosine: cosineSchedule, plateau: plateauSchedule };

describe("agrees with PyTorch", () => {
  for (const { schedule: kind, options, losses, rates } of golden.cases) {
    it(`${kind} ${JSON.stringify(options)}`, () => {
      const schedule: Schedule = make[kind](golden.learningRate, options);
      let state = schedule.initial;
      const actual = rates.map((_, step) => {
        if (losses && step > 0) state = schedule.validated(state, losses[step - 1]!);
        return schedule.learningRate({ step, epoch: step }, state);
      });
      expectClose("the learning rate", actual, rates, 1e-12);
    });
  }
});
