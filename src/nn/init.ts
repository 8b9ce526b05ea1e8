import { ShapeError } from "../errors.ts";
import { fillStorage } from "../tensor/access.ts";
import { type Generator, initGenerator } from "../tensor/random.ts";
import { formatShape, type Shape } from "../tensor/shape.ts";
import { persistentZeros, type Tensor } from "../tensor/tensor.ts";

/**
 * Initial values, written into a tensor that is there. Each call draws from a stream of its own of the seed that
 * `manualSeed` set, so the same program builds the same model.
 */

/** A parameter to write them into. */
export function zeroParameter(shape: Shape): Tensor {
  const made = persistentZeros(shape);
  made.requiresGrad = true;
  return made;
}

let drawn = true;

/** Runs f, which makes a model whose weights will be replaced: none are drawn. */
export function withoutDrawing<T>(f: () => T): T {
  drawn = false;
  try {
    return f();
  } finally {
    drawn = true;
  }
}

function fill(t: Tensor, value: (generator: Generator) => number): Tensor {
  if (!drawn) return t;
  const generator = initGenerator();
  fillStorage(t.storage, () => value(generator));
  return t;
}

export function constant(t: Tensor, value: number): Tensor {
  t.set(new Float32Array(t.size).fill(value));
  return t;
}

/** Uniform in [low, high). */
export function uniform(t: Tensor, low: number, high: number): Tensor {
  return fill(t, (generator) => low + (high - low) * generator.uniform());
}

export function normal(t: Tensor, mean = 0, deviation = 1): Tensor {
  return fill(t, (generator) => mean + deviation * generator.normal());
}

/** Uniform in ±gain·√(6 / (fanIn + fanOut)), which keeps variances equal forward and backward (Glorot & Bengio 2010). */
export function xavierUniform(t: Tensor, gain = 1): Tensor {
  const [fanOut, fanIn] = fans("xavierUniform", t.shape);
  const bound = gain * Math.sqrt(6 / (fanIn + fanOut));
  return uniform(t, -bound, bound);
}

/** Normal with deviation gain·√(2 / (fanIn + fanOut)). */
export function xavierNormal(t: Tensor, gain = 1): Tensor {
  const [fanOut, fanIn] = fans("xavierNormal", t.shape);
  return normal(t, 0, gain * Math.sqrt(2 / (fanIn + fanOut)));
}

/** Ones on the diagonal, zeros elsewhere (Le, Jaitly & Hinton 2015, of recurrent weights). */
export function identity(t: Tensor): Tensor {
  const [, columns] = fans("identity", t.shape);
  t.set(Float32Array.from({ length: t.size }, (_, i) => Number(Math.floor(i / columns) === i % columns)));
  return t;
}

/** A random matrix with orthonormal rows or, if it is tall, columns (Saxe et al. 2014), times gain. */
export function orthogonal(t: Tensor, gain = 1): Tensor {
  const [rows, columns] = fans("orthogonal", t.shape);
  if (!drawn) return t;
  const generator = initGenerator();
  const count = Math.min(rows, columns);
  const length = Math.max(rows, columns);
  const vectors: Float64Array[] = [];
  for (let k = 0; k < count; k++) {
    const v = Float64Array.from({ length }, () => generator.normal());
    // Gram–Schmidt, twice: once leaves a residue where vectors are nearly parallel.
    for (const u of [...vectors, ...vectors]) {
      let dot = 0;
      for (let i = 0; i < length; i++) dot += u[i]! * v[i]!;
      for (let i = 0; i < length; i++) v[i]! -= dot * u[i]!;
    }
    const norm = Math.sqrt(v.reduce((sum, x) => sum + x * x, 0));
    vectors.push(v.map((x) => x / norm));
  }
  const values = new Float32Array(t.size);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      values[i * columns + j] = gain * (rows <= columns ? vectors[i]![j]! : vectors[j]![i]!);
    }
  }
  t.set(values);
  return t;
}

/** Outputs and inputs of a weight [out, in, …]. */
function fans(name: string, shape: Shape): [fanOut: number, fanIn: number] {
  if (shape.length < 2) {
    throw new ShapeError(`${name}: tensor must be [out, in] or have more axes, got ${formatShape(shape)}`);
  }
  return [shape[0]!, shape.slice(1).reduce((a, b) => a * b, 1)];
}
