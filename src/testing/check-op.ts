import { step } from "../autograd/step.ts";
import { UnrolledError } from "../errors.ts";
import { Generator, randomState } from "../tensor/random.ts";
import type { Shape } from "../tensor/shape.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { withReference } from "./reference-backend.ts";

/** Inputs of a case: float32 tensors, which get gradients, or int32 ones, which do not. */
export type Inputs = Record<string, Float64Array | Int32Array>;

export interface OpCase {
  name: string;
  shapes: Record<string, Shape>;
  /** Values other than standard normals, e.g. tokens or lengths (Int32Array). */
  values?: Inputs;
  /** The computation: what it returns is compared, and a fixed random combination of it is differentiated. */
  run(inputs: Record<string, Tensor>): Tensor | Tensor[];
}

interface Outcome {
  outputs: number[][];
  grads: Record<string, number[]>;
}

function drawInputs({ shapes, values = {} }: OpCase): Inputs {
  const generator = new Generator(17);
  const inputs: Inputs = {};
  for (const [name, shape] of Object.entries(shapes)) {
    const size = shape.reduce((a, b) => a * b, 1);
    // Rounded to float32, so that both precisions start from the same numbers.
    inputs[name] = values[name] ?? Float64Array.from({ length: size }, () => Math.fround(generator.normal()));
  }
  return inputs;
}

/** Runs the case on the current backend; the gradient is that of Σ wᵢ·outputᵢ with fixed weights w. */
export function runCase(test: OpCase, inputs: Inputs = drawInputs(test)): Outcome {
  randomState.step = 0; // the same dropout in every run
  return step(() => {
    const tensors: Record<string, Tensor> = {};
    for (const [name, shape] of Object.entries(test.shapes)) {
      const values = inputs[name]!;
      tensors[name] = tensor(values, shape, values instanceof Int32Array ? {} : { requiresGrad: true });
    }
    const result = test.run(tensors);
    const outputs = Array.isArray(result) ? result : [result];
    backwardFrom(outputs);
    const grads: Record<string, number[]> = {};
    for (const [name, t] of Object.entries(tensors)) {
      if (t.requiresGrad) grads[name] = [...(t.grad?.toArray() ?? new Float64Array(t.size))];
    }
    return { outputs: outputs.map((t) => [...t.toArray()]), grads };
  });
}

/** The weights of the i-th output's elements in the scalar that is differentiated. */
export function outputWeights(index: number, size: number): Float64Array {
  const generator = new Generator(99, index);
  return Float64Array.from({ length: size }, () => Math.fround(generator.normal()));
}

function backwardFrom(outputs: Tensor[]): void {
  const scope = outputs[0]!.storage.scope!;
  const live = outputs.filter((t) => t.requiresGrad);
  if (live.length === 0) return;
  scope.backwardFrom(
    live.map((t) => ({ storage: t.storage, grad: outputWeights(outputs.indexOf(t), t.size) })),
  );
}

/** The largest difference, as a fraction of the largest magnitude in `expected`. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let difference = 0;
  let magnitude = 1e-30;
  for (let i = 0; i < expected.length; i++) {
    if (Number.isNaN(actual[i]!) !== Number.isNaN(expected[i]!)) return Number.POSITIVE_INFINITY;
    if (actual[i] !== expected[i]) difference = Math.max(difference, Math.abs(actual[i]! - expected[i]!));
    magnitude = Math.max(magnitude, Math.abs(expected[i]!));
  }
  return difference / magnitude;
}

/** Compares the kernels with the reference: every output and every gradient, to 1e-5 of its largest magnitude. */
export function checkParity(test: OpCase, tolerance = 1e-5): void {
  const inputs = drawInputs(test);
  const expected = withReference(() => runCase(test, inputs));
  const actual = runCase(test, inputs);
  expected.outputs.forEach((values, i) => {
    expectClose(`${test.name}: output ${i}`, actual.outputs[i]!, values, tolerance);
  });
  for (const [name, values] of Object.entries(expected.grads)) {
    expectClose(`${test.name}: gradient of ${name}`, actual.grads[name]!, values, tolerance);
  }
}

export function expectClose(
  what: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
): void {
  const error = relativeError(actual, expected);
  if (!(error <= tolerance)) {
    throw new UnrolledError(
      `${what} is off by ${error.toExponential(2)} of its magnitude, allowed ${tolerance}`,
    );
  }
}

/** Compares the reference's gradients with central differences in float64, eps 1e-6. */
export function checkGradients(test: OpCase, tolerance = 1e-6): void {
  withReference(() => {
    const inputs = drawInputs(test);
    const { grads } = runCase(test, inputs);
    const objective = () => {
      const { outputs } = runCase(test, inputs);
      let sum = 0;
      outputs.forEach((values, index) => {
        const weights = outputWeights(index, values.length);
        values.forEach((value, i) => {
          sum += value * weights[i]!;
        });
      });
      return sum;
    };
    for (const [name, analytic] of Object.entries(grads)) {
      const values = inputs[name]!;
      const numeric = analytic.map((_, i) => {
        const x = values[i]!;
        values[i] = x + 1e-6;
        const up = objective();
        values[i] = x - 1e-6;
        const down = objective();
        values[i] = x;
        return (up - down) / 2e-6;
      });
      expectClose(`${test.name}: analytic gradient of ${name}`, analytic, numeric, tolerance);
    }
  });
}
