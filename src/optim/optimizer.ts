import * as v from "valibot";
import { FormatError, UsageError } from "../errors.ts";
import { checkOptions, numberIn } from "../options.ts";
import { formatShape, sameShape } from "../tensor/shape.ts";
import { persistentZeros, type Tensor, tensor } from "../tensor/tensor.ts";

/** What the options of every optimizer have in common, and their defaults. */
export const commonOptions = {
  learningRate: numberIn({ from: 0 }),
  weightDecay: v.optional(numberIn({ from: 0 }), 0),
};

export interface OptimizerOptions {
  learningRate: number;
  /** L2 regularisation: adds weightDecay · parameter to the gradient. AdamW shrinks the parameter itself instead. */
  weightDecay?: number;
}

/** Parameters with options of their own. */
export type ParameterGroup<O extends OptimizerOptions> = Partial<Omit<O, "learningRate">> & {
  parameters: Iterable<Tensor>;
  /** The group's learning rate as a multiple of the optimizer's, which schedules move. */
  learningRateFactor?: number;
};

/** `model.parameters()`, `model.namedParameters()` (the state is then kept by name instead of number), or groups. */
export type Optimizable<O extends OptimizerOptions> =
  | Iterable<Tensor>
  | ReadonlyMap<string, Tensor>
  | readonly ParameterGroup<O>[];

/** A parameter, and what the optimizer keeps for it. */
export interface Slot<O extends OptimizerOptions> {
  readonly key: string;
  readonly parameter: Tensor;
  readonly options: Required<O>;
  readonly learningRateFactor: number;
  /** Updates so far. */
  step: number;
  state: Record<string, Tensor>;
}

/**
 * Changes parameters by their gradients. `step()` also leaves the gradients zero, in the same pass, so that several
 * backward passes before a step add up (gradient accumulation) and none needs clearing. A parameter that has no gradient
 * or requires none any more is left alone. Same bits for any number of threads.
 */
export abstract class Optimizer<O extends OptimizerOptions = OptimizerOptions> {
  learningRate: number;
  readonly #slots: Slot<O>[];

  /** `check` refuses options out of range and fills in the defaults. */
  constructor(
    parameters: Optimizable<O>,
    options: O,
    check: (where: string, options: unknown) => Required<O>,
  ) {
    const where = this.constructor.name;
    this.learningRate = check(where, options).learningRate;
    this.#slots = makeSlots(where, parameters, (own) => check(where, { ...options, ...own }));
  }

  /** The names of what is kept for a parameter, zero at first. */
  protected abstract stateNames(options: Required<O>): string[];

  protected abstract update(slot: Slot<O>, gradient: Tensor, learningRate: number): void;

  /** Updates every parameter that has a gradient, and zeroes the gradient. */
  step(): void {
    for (const slot of this.#slots) {
      const { parameter, options, learningRateFactor } = slot;
      const gradient = parameter.grad;
      if (!gradient || !parameter.requiresGrad) continue;
      if (slot.step === 0) {
        for (const name of this.stateNames(options)) slot.state[name] ??= persistentZeros(parameter.shape);
      }
      slot.step++;
      this.update(slot, gradient, this.learningRate * learningRateFactor);
      parameter.storage.version++;
    }
  }

  /** Drops all gradients without using them. */
  zeroGrad(): void {
    for (const { parameter } of this.#slots) parameter.storage.grad = undefined;
  }

  /**
   * A copy of what is kept for each parameter: `<name or number>.<state>` as float32 and `<name or number>.step` as
   * int32, ready for `writeSafetensors`. The learning rate is not in it: it belongs to the schedule.
   */
  stateDict(): Map<string, Tensor> {
    const state = new Map<string, Tensor>();
    for (const slot of this.#slots) {
      if (slot.step === 0) continue;
      state.set(`${slot.key}.step`, tensor(new Int32Array([slot.step]), []));
      for (const [name, t] of Object.entries(slot.state)) state.set(`${slot.key}.${name}`, t.detach());
    }
    return state;
  }

  /** Takes up where the optimizer that made `state` was. If anything does not fit, nothing is changed. */
  loadStateDict(state: ReadonlyMap<string, Tensor>): void {
    const left = new Map(state);
    const problems: string[] = [];
    const take = (name: string, dtype: string, like: Tensor): Tensor => {
      const t = left.get(name);
      left.delete(name);
      if (!t) problems.push(`${name} is missing`);
      else if (t.dtype !== dtype || !sameShape(t.shape, like.shape)) {
        problems.push(
          `${name} must be ${dtype} ${formatShape(like.shape)}, got ${t.dtype} ${formatShape(t.shape)}`,
        );
      }
      return t ?? like;
    };
    const scalar = tensor(new Int32Array(1), []);
    const loaded = this.#slots.map((slot) => {
      const { key, parameter, options } = slot;
      if (!left.has(`${key}.step`)) return { slot, step: 0, values: [] };
      const step = take(`${key}.step`, "int32", scalar);
      const names = this.stateNames(options);
      return {
        slot,
        step: step.size === 1 ? step.item() : 0,
        values: names.map((name) => [name, take(`${key}.${name}`, "float32", parameter)] as const),
      };
    });
    for (const name of left.keys()) problems.push(`${name} is unexpected`);
    if (problems.length > 0) {
      throw new FormatError(
        `loadStateDict: the state does not fit ${this.constructor.name}:\n  ${problems.join("\n  ")}`,
      );
    }
    for (const { slot, step, values } of loaded) {
      slot.step = step;
      slot.state = {};
      for (const [name, t] of values) {
        slot.state[name] = persistentZeros(t.shape);
        slot.state[name].set(t.toArray());
      }
    }
  }
}

const groupFactor = v.optional(numberIn({ from: 0 }), 1);

function makeSlots<O extends OptimizerOptions>(
  where: string,
  parameters: Optimizable<O>,
  resolve: (own: object) => Required<O>,
): Slot<O>[] {
  const slots: Slot<O>[] = [];
  const seen = new Set<unknown>();
  const add = (key: string, parameter: Tensor, options: Required<O>, learningRateFactor = 1) => {
    if (!parameter.storage.persistent) {
      throw new UsageError(`${where}: parameter ${key} must be made by parameter(), got ${parameter}`);
    }
    if (seen.has(parameter.storage)) throw new UsageError(`${where}: parameter ${key} is there twice`);
    seen.add(parameter.storage);
    slots.push({ key, parameter, options, learningRateFactor, step: 0, state: {} });
  };
  if (parameters instanceof Map) {
    for (const [name, parameter] of parameters) add(name, parameter, resolve({}));
  } else {
    for (const item of parameters as Iterable<Tensor | ParameterGroup<O>>) {
      if ("shape" in item) add(String(slots.length), item, resolve({}));
      else {
        const { parameters: members, learningRateFactor, ...own } = item;
        const factor = checkOptions(`${where}: learningRateFactor`, groupFactor, learningRateFactor);
        const options = resolve(own);
        for (const member of members) add(String(slots.length), member, options, factor);
      }
    }
  }
  if (slots.length === 0) throw new UsageError(`${where}: there are no parameters to optimize`);
  return slots;
}
