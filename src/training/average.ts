import { step } from "../autograd/step.ts";
import { FormatError } from "../errors.ts";
import type { Module } from "../nn/module.ts";
import { stateProblems } from "../nn/state-dict.ts";
import { addScaled } from "../ops/in-place.ts";
import { persistentZeros, type Tensor, tensor } from "../tensor/tensor.ts";

/**
 * The mean of the weights after every update, as of averaged SGD (Polyak and Juditsky 1992); with `nonmono` n of those since
 * a validation whose loss was above that of any but the last n before it (Merity et al. 2017, algorithm 1).
 */
export interface Asgd {
  nonmono?: number | undefined;
}

/** The update after which the weights are averaged, by the validations so far; undefined: not yet. */
export function averagedSince(
  { nonmono }: Asgd,
  validations: readonly { step: number; loss: number }[],
): number | undefined {
  if (nonmono === undefined) return 0;
  let best = Number.POSITIVE_INFINITY;
  return validations.find(({ loss }, i) => {
    best = Math.min(best, validations[i - nonmono - 1]?.loss ?? best);
    return loss > best;
  })?.step;
}

/**
 * A mean of a model's weights over time, which is often better than any of them. With a number d an exponential moving
 * average: average ← d'·average + (1 − d')·weights after every update, where d' is the smaller of d and (1 + n) / (10 + n)
 * in the nth, so that the initial weights are soon forgotten; else the plain mean. Frozen parameters, which are their own
 * average, are left out.
 */
export class MovingAverage {
  readonly #averaging: number | Asgd;
  readonly #pairs: Map<string, { parameter: Tensor; average: Tensor }>;

  constructor(model: Module, averaging: number | Asgd) {
    this.#averaging = averaging;
    const trained = [...model.namedParameters()].filter(([, { requiresGrad }]) => requiresGrad);
    this.#pairs = new Map(
      trained.map(([name, parameter]) => [name, { parameter, average: persistentCopy(parameter) }]),
    );
  }

  /** Takes in the weights as they are after the nth update of those that count, from 1. */
  update(n: number): void {
    const averaging = this.#averaging;
    const blend = typeof averaging === "number" ? 1 - Math.min(averaging, (1 + n) / (10 + n)) : 1 / n;
    step(() => {
      for (const { parameter, average } of this.#pairs.values()) {
        // Twice the same factor: in float32, 0.9999 and 0.0001 do not add up to 1.
        addScaled(average, average, -blend);
        addScaled(average, parameter, blend);
      }
    });
  }

  /** Runs f while the model has the averaged weights. */
  async during<T>(f: () => T | Promise<T>): Promise<T> {
    this.#swap();
    try {
      return await f();
    } finally {
      this.#swap();
    }
  }

  #swap(): void {
    for (const { parameter, average } of this.#pairs.values()) {
      const weights = parameter.toArray();
      parameter.set(average.toArray());
      average.set(weights);
    }
  }

  stateDict(): Map<string, Tensor> {
    return new Map([...this.#pairs].map(([name, { average }]) => [name, average.detach()]));
  }

  /** Takes up where the average that made `state` was. If anything does not fit, nothing is changed. */
  loadStateDict(state: ReadonlyMap<string, Tensor>): void {
    const own = new Map([...this.#pairs].map(([name, { average }]) => [name, average]));
    const problems = stateProblems(own, state);
    if (problems.length > 0) {
      throw new FormatError(
        `loadStateDict: the state does not fit the average of the weights:\n  ${problems.join("\n  ")}`,
      );
    }
    for (const [name, average] of own) average.set(state.get(name)!.toArray());
  }
}

function persistentCopy(t: Tensor): Tensor {
  const copy = persistentZeros(t.shape);
  copy.set(t.toArray());
  return copy;
}

/**
 * The mean of the weights of several models or checkpoints of one architecture: those of one training's last
 * checkpoints, or of trainings that began with the same weights, lie in one valley and their mean is often better than
 * each (Izmailov et al. 2018, Wortsman et al. 2022).
 */
export function averageWeights(states: readonly ReadonlyMap<string, Tensor>[]): Map<string, Tensor> {
  const [first, ...others] = states;
  if (!first) throw new FormatError("averageWeights: there must be weights to average, got none");
  for (const [i, other] of others.entries()) {
    const problems = stateProblems(first, other);
    if (problems.length === 0) continue;
    throw new FormatError(
      `averageWeights: weights ${i + 2} do not fit the first:\n  ${problems.join("\n  ")}`,
    );
  }
  const mean = new Map<string, Tensor>();
  for (const [name, { shape, size }] of first) {
    const sum = new Float64Array(size);
    for (const state of states) {
      const values = state.get(name)!.toArray();
      for (let i = 0; i < size; i++) sum[i]! += values[i]!;
    }
    mean.set(
      name,
      tensor(
        sum.map((total) => total / states.length),
        shape,
      ),
    );
  }
  return mean;
}
