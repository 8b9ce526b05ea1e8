import { ShapeError, UsageError } from "../errors.ts";
import { readStorage, writeStorage } from "./access.ts";
import { allocateValues, type DType, type Values } from "./dtype.ts";
import { formatShape, type Shape, sizeOf } from "./shape.ts";
import { Storage } from "./storage.ts";

export type NestedNumbers = number | readonly NestedNumbers[];

/**
 * An n-dimensional array, row-major. Made by `tensor()` from values or by an op from other tensors; what is made inside
 * `step()` is gone when the step ends, unless the step returns it.
 */
export class Tensor {
  readonly shape: Shape;
  /** @internal */
  readonly storage: Storage;

  /** @internal Use `tensor()`. */
  constructor(shape: Shape, storage: Storage) {
    this.shape = shape;
    this.storage = storage;
  }

  get dtype(): DType {
    return this.storage.dtype;
  }

  /** Number of elements. */
  get size(): number {
    return this.storage.length;
  }

  get requiresGrad(): boolean {
    return this.storage.requiresGrad;
  }

  /** Whether `backward()` computes this tensor's gradient. */
  set requiresGrad(on: boolean) {
    if (on && this.dtype !== "float32") throw new UsageError(`tensor: ${this.dtype} has no gradient`);
    this.storage.requiresGrad = on;
  }

  /** The gradient `backward()` left, of this tensor's shape; undefined before. */
  get grad(): Tensor | undefined {
    return this.storage.grad && new Tensor(this.shape, this.storage.grad);
  }

  /** A copy of the values, row-major. */
  toArray(): Float32Array | Float64Array | Int32Array {
    return readStorage(this.storage);
  }

  /** The value of a tensor of one element. */
  item(): number {
    if (this.size !== 1)
      throw new ShapeError(`item: tensor must have one element, got ${formatShape(this.shape)}`);
    return readStorage(this.storage)[0]!;
  }

  /** As `item`, for programs that also run where reading back takes a wait. */
  async value(): Promise<number> {
    return this.item();
  }

  /** Overwrites the values. */
  set(values: ArrayLike<number>): void {
    if (values.length !== this.size) {
      throw new ShapeError(
        `set: expected ${this.size} values for ${formatShape(this.shape)}, got ${values.length}`,
      );
    }
    writeStorage(this.storage, values);
  }

  /** The same values in another shape; −1 for one axis means what is left. Shares memory and gradient. */
  reshape(...shape: number[]): Tensor {
    const known = shape.filter((n) => n !== -1);
    const open = shape.length - known.length;
    const resolved = shape.map((n) => (n === -1 ? this.size / sizeOf(known) : n));
    if (open > 1 || sizeOf(resolved) !== this.size || resolved.some((n) => !Number.isInteger(n) || n < 0)) {
      throw new ShapeError(`reshape: cannot make ${formatShape(shape)} of ${formatShape(this.shape)}`);
    }
    return new Tensor(resolved, this.storage);
  }

  /** The same values as a constant: no gradient flows through. A copy. */
  detach(): Tensor {
    return new Tensor(this.shape, new Storage(this.dtype, this.size, { host: this.toArray() }));
  }

  /** Computes the gradient of this one-element tensor with respect to all that require one, adding to what is there. */
  backward(): void {
    if (this.size !== 1) {
      throw new ShapeError(`backward: must start from one element, got ${formatShape(this.shape)}`);
    }
    const { scope } = this.storage;
    if (!scope?.alive || !this.storage.requiresGrad) {
      throw new UsageError("backward: nothing recorded leads here", {
        hint: "compute the loss and call backward() inside one step(() => …), from parameters that require gradients",
      });
    }
    scope.backward(this.storage);
  }

  toString(): string {
    return `Tensor ${this.dtype} ${formatShape(this.shape)}`;
  }
}

function nestedShape(values: NestedNumbers): number[] {
  const shape: number[] = [];
  for (let level: NestedNumbers | undefined = values; typeof level === "object"; level = level[0]) {
    shape.push(level.length);
  }
  return shape;
}

/**
 * A tensor from nested arrays, or from flat values and a shape. Int32Array gives int32, all else float32 unless
 * `dtype` says otherwise. The values are copied.
 */
export function tensor(
  values: NestedNumbers | Values,
  shape?: Shape,
  options: { dtype?: DType; requiresGrad?: boolean } = {},
): Tensor {
  const typed = ArrayBuffer.isView(values);
  const flat: ArrayLike<number> = typed
    ? values
    : typeof values === "number"
      ? [values]
      : ((values as readonly unknown[]).flat(32) as number[]);
  const resolved = shape ?? (typed ? [values.length] : nestedShape(values));
  if (flat.length !== sizeOf(resolved)) {
    throw new ShapeError(
      `tensor: shape ${formatShape(resolved)} needs ${sizeOf(resolved)} values, got ${flat.length}`,
    );
  }
  const dtype = options.dtype ?? (values instanceof Int32Array ? "int32" : "float32");
  const host = allocateValues(dtype, flat.length);
  host.set(flat);
  const made = new Tensor([...resolved], new Storage(dtype, flat.length, { host }));
  if (options.requiresGrad) made.requiresGrad = true;
  return made;
}

/** A tensor of zeros. */
export function zeros(shape: Shape, dtype: DType = "float32"): Tensor {
  const size = sizeOf(shape);
  return new Tensor([...shape], new Storage(dtype, size, { host: allocateValues(dtype, size) }));
}

/** A trainable tensor: requires a gradient and keeps its place in the engine's memory. */
export function parameter(values: Values, shape: Shape): Tensor {
  const host = allocateValues("float32", values.length);
  host.set(values);
  const made = new Tensor([...shape], new Storage("float32", values.length, { host, persistent: true }));
  made.requiresGrad = true;
  return made;
}

/** Zeros that stay: optimizer state. */
export function persistentZeros(shape: Shape): Tensor {
  return new Tensor([...shape], new Storage("float32", sizeOf(shape), { persistent: true }));
}
