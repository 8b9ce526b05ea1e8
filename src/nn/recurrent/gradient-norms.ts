import * as v from "valibot";
import { noGrad, step } from "../../autograd/step.ts";
import { ShapeError } from "../../errors.ts";
import { add, mul } from "../../ops/binary.ts";
import { sum } from "../../ops/reduce.ts";
import { checkOptions, recordOf, wholeNumber } from "../../options.ts";
import { Generator, randomState } from "../../tensor/random.ts";
import { formatShape } from "../../tensor/shape.ts";
import { type Tensor, tensor } from "../../tensor/tensor.ts";
import type { Recurrent, RecurrentOptions } from "./recurrent.ts";
import { checkState, type HiddenState, mapParts } from "./state.ts";

/** How far back gradients reach in one part of one layer's state. */
export interface GradientNorms {
  /** From 0. */
  layer: number;
  /** "h", or "c" of an LSTM. */
  part: string;
  /** For each lag τ = 0 … T: ‖∂s_T/∂s_{T−τ}‖, s being that part of the layer's state; the first is 1. */
  norms: Float64Array;
}

export interface GradientNormsOptions<S> {
  /** The state that the sequences begin with; zeros if left out. */
  state?: S;
  /**
   * Vectors that stand for all directions: random ones, whose number makes the error, a few per cent for 100. Default: the
   * width of the state, if that is 256 or less, which is exact, else 100.
   */
  projections?: number;
  /** Of random vectors. Default 1. */
  seed?: number;
}

const schema = recordOf({
  state: v.optional(v.unknown()),
  projections: v.optional(wholeNumber(1, 65_536)),
  seed: v.optional(wholeNumber(0, Number.MAX_SAFE_INTEGER), 1),
});

/** The widest state whose Jacobian is computed as a whole, and how many directions are tried of wider ones. */
const EXACT = 256;
const RANDOM = 100;

/**
 * Why gradients vanish or explode (Hochreiter 1991; Bengio et al. 1994; Pascanu et al. 2013): the norm of ∂h_T/∂h_t, how
 * much the state at the end of a sequence depends on that at each step before, over input [T, N, inputSize]. Of stacked
 * layers it is measured in each, of an LSTM also for c. The norm is Frobenius' over √H, that is, the root mean square of
 * ‖u·∂h_T/∂h_t‖ over unit vectors u: 1 for a network that hands its state on unchanged. Of N sequences it is the geometric
 * mean. Gradients of the weights stay as they are.
 */
export function gradientNorms<S extends HiddenState, O extends Required<RecurrentOptions>>(
  layer: Recurrent<S, O>,
  input: Tensor,
  options: GradientNormsOptions<S> = {},
): GradientNorms[] {
  const { projections, seed } = checkOptions("gradientNorms", schema, options);
  const [T, N, I] = input.shape;
  if (input.shape.length !== 3 || !T || !N || I !== layer.options.inputSize) {
    const expected = `[time, batch, ${layer.options.inputSize}]`;
    throw new ShapeError(`gradientNorms: input must be ${expected}, got ${formatShape(input.shape)}`);
  }
  const state = options.state ?? layer.zeroState(N);
  checkState("gradientNorms", state, layer.stateShapes(N));
  return asConstant(layer, () => {
    const steps = walk(layer, input, state);
    const shapes = layer.stateShapes(N);
    return Object.keys(shapes).flatMap((part) => {
      const width = shapes[part as keyof S].at(-1)!;
      const count = projections ?? (width <= EXACT ? width : RANDOM);
      const directions = count === width ? identity(width) : unitVectors(count, width, seed);
      return Array.from({ length: layer.options.numLayers }, (_, index) => ({
        layer: index,
        part,
        norms: measure(layer, steps, { layer: index, part: part as keyof S & string, directions, N }),
      }));
    });
  });
}

/** A time step: its input [N, I], and the state before it. */
interface Step<S> {
  x: Tensor;
  state: S;
}

/** Runs f while the layer has no dropout and its weights need no gradient. */
function asConstant<T>(layer: Recurrent<HiddenState, Required<RecurrentOptions>>, f: () => T): T {
  const { training } = layer;
  const trained = layer.parameters().filter((p) => p.requiresGrad);
  const { step: random } = randomState;
  for (const p of trained) p.requiresGrad = false;
  layer.training = false;
  try {
    return f();
  } finally {
    for (const p of trained) p.requiresGrad = true;
    layer.training = training;
    randomState.step = random;
  }
}

function walk<S extends HiddenState>(
  layer: Recurrent<S, Required<RecurrentOptions>>,
  input: Tensor,
  initial: S,
): Step<S>[] {
  const [T, ...rest] = input.shape as [number, number, number];
  const values = input.toArray();
  const size = values.length / T;
  let state = initial;
  return Array.from({ length: T }, (_, t) => {
    const x = tensor(values.slice(size * t, size * (t + 1)), rest);
    const before = { x, state };
    state = step(() => noGrad(() => layer.step(x, state).state));
    return before;
  });
}

interface Measured<S> {
  layer: number;
  part: keyof S & string;
  /** The unit vectors, row by row. */
  directions: Float64Array;
  N: number;
}

/**
 * u·∂s_T/∂s_t for all u at once, which are the rows of a batch: from the last step to the first, through one step at a
 * time. Between the steps each sequence's rows are scaled to a root mean square norm of 1, for at 10⁻⁴⁵ float32 ends.
 */
function measure<S extends HiddenState>(
  layer: Recurrent<S, Required<RecurrentOptions>>,
  steps: readonly Step<S>[],
  { layer: index, part, directions, N }: Measured<S>,
): Float64Array {
  const T = steps.length;
  const width = (steps[0]!.state[part] as Tensor).shape.at(-1)!;
  const count = directions.length / width;
  // The gradients of all parts of the layer's state, for h_T depends on h_t by way of c too.
  let gradients: Gradients = {
    [part]: Float64Array.from(
      { length: N * directions.length },
      (_, i) => directions[i % directions.length]!,
    ),
  };
  const logs = new Float64Array(N);
  const norms = new Float64Array(T + 1).fill(1);
  for (let lag = 1; lag <= T; lag++) {
    gradients = pullBack(layer, steps[T - lag]!, index, gradients, count);
    for (let n = 0; n < N; n++) {
      const size = count * width;
      const squares = gradients[part]!.subarray(n * size, (n + 1) * size).reduce((sum, g) => sum + g * g, 0);
      const norm = Math.sqrt(squares / count);
      logs[n]! += Math.log(norm);
      if (norm === 0) continue;
      for (const values of Object.values(gradients)) {
        const share = values.length / N;
        for (let i = n * share; i < (n + 1) * share; i++) values[i]! /= norm;
      }
    }
    norms[lag] = Math.exp(logs.reduce((sum, log) => sum + log, 0) / N);
  }
  return norms;
}

/** By part of the state: [N · count, width]. */
type Gradients = Record<string, Float64Array>;

/** From the gradients with respect to one layer's state after a step to those before it. */
function pullBack<S extends HiddenState>(
  layer: Recurrent<S, Required<RecurrentOptions>>,
  { x, state }: Step<S>,
  index: number,
  gradients: Gradients,
  count: number,
): Gradients {
  return step(() => {
    const before = mapParts(state, (part) => repeatRows(part, 1, count, true));
    const after = layer.step(repeatRows(x, 0, count), before).state;
    const terms = Object.entries(gradients).map(([name, values]) => {
      const part = after[name as keyof S] as Tensor;
      const seed = new Float64Array(part.size);
      seed.set(values, index * values.length);
      return sum(mul(part, tensor(seed, part.shape)));
    });
    terms.reduce(add).backward();
    const found: Gradients = {};
    for (const [name, part] of Object.entries<Tensor>(before)) {
      const size = part.size / part.shape[0]!;
      const all = part.grad?.toArray() ?? new Float64Array(part.size);
      found[name] = Float64Array.from(all.subarray(index * size, (index + 1) * size));
    }
    return found;
  });
}

/** Each row along an axis `count` times, one after the other. */
function repeatRows(t: Tensor, axis: number, count: number, requiresGrad = false): Tensor {
  const inner = t.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const from = t.toArray();
  const values = new Float64Array(from.length * count);
  for (let i = 0; i < values.length; i++) {
    values[i] = from[Math.floor(i / (inner * count)) * inner + (i % inner)]!;
  }
  return tensor(values, t.shape.with(axis, t.shape[axis]! * count), { requiresGrad });
}

function identity(width: number): Float64Array {
  return Float64Array.from({ length: width * width }, (_, i) => Number(i % (width + 1) === 0));
}

function unitVectors(count: number, width: number, seed: number): Float64Array {
  const generator = new Generator(seed);
  const all = new Float64Array(count * width);
  for (let p = 0; p < count; p++) {
    const vector = all.subarray(p * width, (p + 1) * width);
    vector.forEach((_, i) => {
      vector[i] = generator.normal();
    });
    const norm = Math.hypot(...vector);
    vector.forEach((x, i) => {
      vector[i] = x / norm;
    });
  }
  return all;
}
