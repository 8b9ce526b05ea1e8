import { describe, expect, it } from "vitest";
import type { Batches } from "../data/batches.ts";
import { Module } from "../nn/module.ts";
import { mul, sub } from "../ops/binary.ts";
import { linear } from "../ops/linear.ts";
import { log, square, tanh } from "../ops/pointwise.ts";
import { Adam } from "../optim/adam.ts";
import { plateauSchedule, stepSchedule } from "../optim/schedule.ts";
import { SGD } from "../optim/sgd.ts";
import { parameter, type Tensor, tensor } from "../tensor/tensor.ts";
import type { DoneEvent, TrainingEvent } from "./events.ts";
import type { TrainingState } from "./state.ts";
import { type Checkpoints, Trainer, type TrainerOptions } from "./trainer.ts";

/** y = w·x, learning w = [1, −2] from exact pairs, with a state that counts. */
class Line extends Module {
  readonly weight = parameter(new Float32Array([0.5, 0.5]), [1, 2]);
}

const xs = [
  [1, 2],
  [3, -1],
  [-2, 1],
  [0.5, 1],
];
const batches: Batches<number> = { length: xs.length, at: (_, index) => index };

/** Σ v² / n, for a [1, n]. */
function meanSquare(values: Tensor): Tensor {
  const n = values.size;
  return linear(square(values), tensor(new Float32Array(n).fill(1 / n), [1, n])).reshape();
}

function lineLoss(model: Line, seen: (Tensor | undefined)[] = []) {
  return (index: number, state: { count: Tensor } | undefined) => {
    seen.push(state?.count);
    const x = xs[index]!;
    const error = sub(linear(tensor([x]), model.weight), x[0]! - 2 * x[1]!);
    return {
      loss: meanSquare(error),
      tokens: 1,
      state: { count: mul(state?.count ?? tensor([1]), 2) },
    };
  };
}

type LineOptions = TrainerOptions<number, { count: Tensor }>;

function makeTrainer(options: Partial<LineOptions> = {}) {
  const model = new Line();
  const seen: (Tensor | undefined)[] = [];
  const optimizer = new Adam(model.namedParameters(), { learningRate: 0.05 });
  const trainer = new Trainer({
    model,
    batches,
    loss: lineLoss(model, seen),
    optimizer,
    epochs: 3,
    ...options,
  });
  return { model, trainer, optimizer, seen };
}

async function drain(
  trainer: Trainer<number, { count: Tensor }>,
  signal?: AbortSignal,
): Promise<TrainingEvent[]> {
  const events: TrainingEvent[] = [];
  for await (const event of trainer.run(signal)) events.push(event);
  return events;
}

const kinds = (events: TrainingEvent[]) => events.map(({ type }) => type).filter((type) => type !== "step");

/** Validation losses in order, whatever the model. */
const script = (losses: number[]) => async () => losses.shift();

describe("Trainer", () => {
  it("learns", async () => {
    const { model, trainer } = makeTrainer({ epochs: 100 });
    const events = await drain(trainer);
    const [a, b] = model.weight.toArray();
    expect(Math.hypot(a! - 1, b! + 2)).toBeLessThan(0.01);
    expect(events.at(-1)).toMatchObject({
      type: "done",
      reason: "finished",
      step: 400,
      epoch: 100,
      tokens: 400,
    });
  });

  it("tells what the ops of an update cost, if asked, and learns the same", async () => {
    const [plain, profiled] = [makeTrainer(), makeTrainer({ profile: true })];
    const done = {
      plain: (await drain(plain.trainer)).at(-1)!,
      profiled: (await drain(profiled.trainer)).at(-1)!,
    };
    expect(done.plain).not.toHaveProperty("profile");
    const { runs, ops } = (done.profiled as DoneEvent).profile!;
    expect(runs).toBe(11); // of 12 updates, all but the first
    expect(ops.find(({ op }) => op === "adam")).toMatchObject({ pass: "forward", count: 11 });
    expect(ops.find(({ op, pass }) => op === "linear" && pass === "backward")).toMatchObject({ count: 22 });
    expect(profiled.model.weight.toArray()).toEqual(plain.model.weight.toArray());
  });

  it("carries state from batch to batch, and starts each epoch without", async () => {
    const { trainer, seen } = makeTrainer({ epochs: 2 });
    await drain(trainer);
    const epoch = [undefined, 2, 4, 8];
    expect(seen.map((count) => count?.item())).toEqual([...epoch, ...epoch]);
  });

  it("validates after each epoch, keeps the best weights and ends with them", async () => {
    const saved: [string, number[]][] = [];
    const save = async (kind: string, weights: Tensor) => {
      saved.push([kind, [...weights.toArray()]]);
      return kind;
    };
    const checkpoints: Checkpoints = {
      saveBest: (weights) => save("best", weights.get("weight")!),
      saveLast: ({ tensors }) => save("last", tensors.get("model.weight")!),
    };
    const { model, trainer } = makeTrainer({ validate: script([3, 1, 2]), checkpoints });
    const events = await drain(trainer);
    expect(kinds(events)).toEqual(
      "validation checkpoint checkpoint validation checkpoint checkpoint validation checkpoint done".split(
        " ",
      ),
    );
    expect(events.flatMap((event) => (event.type === "validation" ? [event.best] : []))).toEqual([
      true,
      true,
      false,
    ]);
    expect(events.at(-1)).toMatchObject({ validLoss: 1 });
    expect(saved.map(([kind]) => kind)).toEqual(["last", "best", "last", "best", "last"]);
    expect([...model.weight.toArray()]).toEqual(saved[3]![1]);
    expect(saved[4]![1]).not.toEqual(saved[3]![1]);
  });

  it("without validation the last weights are the best", async () => {
    const { model, trainer } = makeTrainer({ epochs: 1 });
    const same = makeTrainer({ epochs: 1, validate: script([1]) });
    expect(kinds(await drain(trainer))).toEqual(["done"]);
    await drain(same.trainer);
    expect(model.weight.toArray()).toEqual(same.model.weight.toArray());
  });

  it("stops early when validation brings nothing better", async () => {
    const { trainer } = makeTrainer({ epochs: 9, patience: 2, validate: script([3, 2, 2, 4, 1]) });
    expect((await drain(trainer)).at(-1)).toMatchObject({ reason: "early-stopping", epoch: 4, validLoss: 2 });
  });

  it("validates every so many updates when asked to, and in the end", async () => {
    const { trainer } = makeTrainer({ validateEvery: 5, validate: script([4, 3, 2]) });
    const steps = (await drain(trainer)).flatMap((event) =>
      event.type === "validation" ? [event.step] : [],
    );
    expect(steps).toEqual([5, 10, 12]);
  });

  it("ends after the most updates it may make, with a validation", async () => {
    const { trainer } = makeTrainer({ epochs: 10, maxSteps: 6, validate: script([3, 1]) });
    const events = await drain(trainer);
    expect(kinds(events)).toEqual(["validation", "validation", "done"]);
    expect(events.at(-1)).toMatchObject({ reason: "finished", step: 6, epoch: 1, validLoss: 1 });
    const steps = events.filter((event) => event.type === "step");
    expect(steps.at(-1)).toMatchObject({ progress: 1, secondsLeft: 0 });
  });

  it("follows the schedule, which hears of validations", async () => {
    const rates = async (options: Partial<LineOptions>) => {
      const { trainer } = makeTrainer({ epochs: 4, ...options });
      const steps = (await drain(trainer)).filter((event) => event.type === "step");
      return steps.map(({ learningRate }) => learningRate);
    };
    const validate = () => script([3, 2, 2.5, 1]);
    expect(await rates({ schedule: stepSchedule(0.8), validate: validate() })).toEqual([0.8, 0.4, 0.2, 0.1]);
    expect(await rates({ schedule: plateauSchedule(0.8), validate: validate() })).toEqual([
      0.8, 0.8, 0.8, 0.4,
    ]);
  });

  it("accumulates: the mean gradient of several batches, fewer at the end of an epoch", async () => {
    const model = new Line();
    const start = [...model.weight.toArray()];
    const expected = [...start];
    for (const group of [[0, 1, 2], [3]]) {
      const gradient = [0, 0];
      for (const index of group) {
        const x = xs[index]!;
        const error = expected[0]! * x[0]! + expected[1]! * x[1]! - (x[0]! - 2 * x[1]!);
        for (const i of [0, 1]) gradient[i]! += (2 * error * x[i]!) / group.length;
      }
      for (const i of [0, 1]) expected[i]! -= 0.05 * gradient[i]!;
    }
    const optimizer = new SGD(model.parameters(), { learningRate: 0.05 });
    const trainer = new Trainer({
      model,
      batches,
      loss: lineLoss(model),
      optimizer,
      epochs: 1,
      accumulate: 3,
    });
    const events = await drain(trainer);
    expect(events.at(-1)).toMatchObject({ step: 2, tokens: 4 });
    [...model.weight.toArray()].forEach((w, i) => {
      expect(w).toBeCloseTo(expected[i]!, 5);
    });
  });

  it("clips the gradient", async () => {
    const { trainer } = makeTrainer({ epochs: 1, clip: 0.01 });
    const [event] = await drain(trainer);
    expect(event).toMatchObject({ type: "step", epoch: 1 });
    const model = new Line();
    const optimizer = new SGD(model.parameters(), { learningRate: 1 });
    await drain(new Trainer({ model, batches, loss: lineLoss(model), optimizer, epochs: 1, clip: 0.01 }));
    const [a, b] = model.weight.toArray();
    expect(Math.hypot(a! - 0.5, b! - 0.5)).toBeLessThan(0.0401);
  });

  it("cuts the elements of the gradient", async () => {
    const model = new Line();
    const optimizer = new SGD(model.parameters(), { learningRate: 1 });
    const loss = lineLoss(model);
    const trainer = new Trainer({ model, batches, loss, optimizer, epochs: 1, maxSteps: 1, clipValue: 0.25 });
    const [event] = await drain(trainer);
    // The error is 4.5 at x = [1, 2], so the gradient was [9, 18].
    expect([...model.weight.toArray()]).toEqual([0.25, 0.25]);
    expect((event as { gradNorm: number }).gradNorm).toBeCloseTo(Math.hypot(9, 18), 4);
  });

  it("validates, saves and ends with the average of the weights, but goes on from the weights", async () => {
    const seen: { validated: number[]; best: number[]; last: number[] }[] = [];
    let validated: number[] = [];
    const ema = makeTrainer({
      ema: 0.9,
      validate: async () => {
        validated = [...ema.model.weight.toArray()];
        return 3 - seen.length;
      },
      checkpoints: {
        saveBest: async () => "best",
        async saveLast({ tensors }, weights) {
          const best = [...weights!.get("weight")!.toArray()];
          seen.push({ validated, best, last: [...tensors.get("model.weight")!.toArray()] });
          expect([...tensors.get("average.weight")!.toArray()]).toEqual(best);
          return "last";
        },
      },
    });
    await drain(ema.trainer);
    const plain: number[][] = [];
    const without = makeTrainer({
      checkpoints: {
        saveBest: async () => "best",
        async saveLast({ tensors }) {
          plain.push([...tensors.get("model.weight")!.toArray()]);
          return "last";
        },
      },
    });
    await drain(without.trainer);
    expect(seen.map(({ last }) => last)).toEqual(plain);
    for (const { validated, best, last } of seen) {
      expect(validated).toEqual(best);
      expect(best).not.toEqual(last);
    }
    expect([...ema.model.weight.toArray()]).toEqual(seen.at(-1)!.best);
  });

  it("of averaged SGD validates the mean of the weights, since a validation that was no better", async () => {
    const weights: number[][] = [];
    const validated: number[][] = [];
    const losses = [5, 4, 6, 3, 2, 1];
    const { model, trainer } = makeTrainer({
      ...{ epochs: 2, maxSteps: 6, validateEvery: 1, asgd: { nonmono: 0 } },
      validate: async () => {
        validated.push([...model.weight.toArray()]);
        return losses[validated.length - 1];
      },
      checkpoints: {
        saveBest: async () => "best",
        async saveLast({ tensors }) {
          weights.push([...tensors.get("model.weight")!.toArray()]);
          return "last";
        },
      },
    });
    await drain(trainer);
    const mean = (rows: number[][]) =>
      [0, 1].map((i) => rows.reduce((sum, row) => sum + row[i]!, 0) / rows.length);
    expect(validated.slice(0, 3)).toEqual(weights.slice(0, 3));
    for (const n of [1, 2, 3]) {
      const expected = mean(weights.slice(3, 3 + n));
      for (const i of [0, 1]) expect(validated[2 + n]![i]).toBeCloseTo(expected[i]!, 6);
    }
    expect([...model.weight.toArray()]).toEqual(validated[5]);
  });

  it("stops at the signal, with the last state saved and a model to use", async () => {
    const controller = new AbortController();
    const saved: string[] = [];
    const save = async (what: string) => {
      saved.push(what);
      return what;
    };
    const checkpoints: Checkpoints = {
      saveBest: () => save("best"),
      saveLast: ({ progress }) => save(`last ${progress.step}`),
    };
    const { trainer } = makeTrainer({
      epochs: 1000,
      checkpoints,
      validate: async (signal) => {
        controller.abort();
        return signal?.aborted ? undefined : 1;
      },
    });
    const events = await drain(trainer, controller.signal);
    expect(events.at(-1)).toMatchObject({ type: "done", reason: "aborted", step: 4 });
    expect(saved).toEqual(["last 4", "best"]);
  });

  it("goes on from a saved state as if it had never stopped", async () => {
    const losses = [5, 4, 3, 3.5];
    const ema = 0.8;
    let state: TrainingState | undefined;
    let best: ReadonlyMap<string, Tensor> | undefined;
    const first = makeTrainer({
      epochs: 5,
      validateEvery: 6,
      validate: script([...losses]),
      schedule: plateauSchedule(0.05),
      ema,
      checkpoints: {
        async saveBest(weights) {
          best = weights;
          return "best";
        },
        async saveLast({ tensors, ...rest }) {
          if (rest.progress.step === 6) state = { tensors, ...JSON.parse(JSON.stringify(rest)) };
          return "last";
        },
      },
    });
    await drain(first.trainer);
    const resumed = makeTrainer({
      epochs: 5,
      validateEvery: 6,
      validate: script(losses.slice(1)),
      schedule: plateauSchedule(0.05),
      ema,
    });
    resumed.trainer.restore(state!, best);
    const events = await drain(resumed.trainer);
    expect(resumed.model.weight.toArray()).toEqual(first.model.weight.toArray());
    expect(resumed.trainer.state().tensors).toEqual(first.trainer.state().tensors);
    expect(resumed.seen[0]!.item()).toBe(4); // in the middle of an epoch
    expect(events.at(-1)).toMatchObject({ step: 20, validLoss: 3 });
  });
});

describe("what is not finite is named:", () => {
  async function failure(loss: (model: Line) => LineOptions["loss"], options: Partial<LineOptions> = {}) {
    const model = new Line();
    const optimizer = new SGD(model.parameters(), { learningRate: 0.05 });
    try {
      await drain(new Trainer({ model, batches, optimizer, epochs: 9, ...options, loss: loss(model) }));
    } catch (error) {
      return { message: String(error), weights: [...model.weight.toArray()] };
    }
    return undefined;
  }

  it("what an op computed", async () => {
    const found = await failure((model) => (index) => {
      const y = tanh(linear(tensor([xs[index]!]), model.weight));
      return { loss: meanSquare(log(index === 2 ? sub(y, 5) : square(y))), tokens: 1 };
    });
    expect(found!.message).toMatchInlineSnapshot(`
      "NumericError: training: step 3, epoch 1: loss is NaN: the first bad tensor is output y of log, NaN at element 0 of 1
      hint: lower the learning rate, or clip gradients at a smaller norm"
    `);
    expect(found!.weights.every(Number.isFinite)).toBe(true);
  });

  it("a weight", async () => {
    const found = await failure((model) => (index, state) => {
      model.weight.set([1, Number.NaN]);
      return lineLoss(model)(index, state);
    });
    expect(found!.message).toMatchInlineSnapshot(`
      "NumericError: training: step 1, epoch 1: loss is NaN: the first bad tensor is weight, NaN at element 1 of 2
      hint: lower the learning rate, or clip gradients at a smaller norm"
    `);
  });

  it("a gradient", async () => {
    const found = await failure((model) => (index) => {
      const y = linear(tensor([xs[index]!]), mul(model.weight, 1e-20));
      return { loss: meanSquare(mul(log(square(y)), 1e-30)), tokens: 1 };
    });
    expect(found?.message).toMatchInlineSnapshot(`
      "NumericError: training: step 1, epoch 1: gradient of weight is NaN at element 0 of 2
      hint: lower the learning rate, or clip gradients at a smaller norm"
    `);
  });

  it("an exploding loss", async () => {
    const model = new Line();
    const optimizer = new SGD(model.parameters(), { learningRate: 0.5 });
    const trainer = new Trainer({ model, batches, optimizer, epochs: 99, loss: lineLoss(model) });
    await expect(drain(trainer)).rejects.toThrowErrorMatchingInlineSnapshot(`
      [NumericError: training: step 3, epoch 1: loss is exploding: 336.51 on average, it began at 20.25
      hint: lower the learning rate, or clip gradients at a smaller norm]
    `);
  });

  it("a validation loss", async () => {
    const { trainer } = makeTrainer({ validate: script([Number.NaN]) });
    await expect(drain(trainer)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[NumericError: training: step 4: validation loss is NaN]`,
    );
  });
});
