import { ShapeError, UsageError } from "../errors.ts";
import type { DType } from "../tensor/dtype.ts";
import { formatShape, type Shape, sizeOf } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { backend } from "./backend.ts";
import type { Op, Spec } from "./op.ts";
import { currentScope, isRecording, mapValues, noGrad, step } from "./step.ts";

/** The shape of an input that was left out, which a scalar's, [] too, is not. */
const ABSENT: Shape = [];

const shapeOf = (spec: Shape | Spec): Shape => ("shape" in spec ? spec.shape : spec);
const dtypeOf = (spec: Shape | Spec): DType => ("shape" in spec ? (spec.dtype ?? "float32") : "float32");

/**
 * Runs an op on the current backend and, if a gradient may be asked for, writes it on the step's tape. Outside a step
 * it is a step of its own.
 */
export function apply<I extends string, O extends string, S extends string, A>(
  op: Op<I, O, S, A>,
  inputs: Record<I, Tensor | undefined>,
  attributes: A,
): Record<O, Tensor> {
  const scope = currentScope();
  if (!scope) return step(() => noGrad(() => apply(op, inputs, attributes)));

  const shapes = mapValues(inputs, (t: Tensor | undefined) => t?.shape ?? ABSENT);
  const layout = op.infer(shapes, attributes);
  const record =
    isRecording() &&
    op.backward !== undefined &&
    Object.values<Tensor | undefined>(inputs).some((t) => t?.requiresGrad);

  const int8 = mapValues(inputs, (t: Tensor | undefined) => t?.dtype === "int8");
  if (record && Object.values(int8).includes(true)) {
    throw new UsageError(
      `${op.name}: int8 weights are for inference, nothing can be differentiated through them`,
      {
        hint: "train with the float32 weights, or compute in noGrad()",
      },
    );
  }
  const b = backend();
  const storages = mapValues(inputs, (t: Tensor | undefined) => t?.storage);
  const inputBuffers = mapValues(storages, (s) => (s ? b.buffer(s, scope) : b.absent));
  const outputs = mapValues(layout.outputs, (spec: Shape | Spec) => {
    const shape = shapeOf(spec);
    const storage = b.allocate(dtypeOf(spec), sizeOf(shape), scope);
    storage.derived = true;
    storage.requiresGrad = record && storage.dtype === "float32";
    return new Tensor(shape, storage);
  });
  const unsaved = b.mark();
  const saved = mapValues(layout.saved, (spec: Shape | Spec) =>
    b.allocate(dtypeOf(spec), sizeOf(shapeOf(spec)), scope),
  );
  b.forward(
    op,
    {
      shapes,
      int8,
      inputs: inputBuffers,
      outputs: mapValues(outputs, (t: Tensor) => b.buffer(t.storage, scope)),
      saved: mapValues(saved, (s) => b.buffer(s, scope)),
    },
    attributes,
  );
  if (record) {
    scope.tape.push({
      op,
      attributes,
      shapes,
      inputs: storages,
      outputs: mapValues(outputs, (t: Tensor) => t.storage),
      saved,
    });
  } else b.rewind(unsaved as never);
  return outputs;
}

/** Refuses what is no weight: of float32, or of int8 (`toInt8`). */
export function expectWeight(op: string, what: string, t: Tensor): void {
  if (t.dtype !== "int8") expectDtype(op, what, t, "float32");
}

/** Refuses a tensor of the wrong dtype. */
export function expectDtype(op: string, what: string, t: Tensor, dtype: DType): void {
  if (t.dtype !== dtype) throw new ShapeError(`${op}: ${what} must be ${dtype}, got ${t.dtype}`);
}

/** Refuses a shape that does not match; a name in `expected` stands for any size. Absent inputs pass. */
export function expectShape(
  op: string,
  what: string,
  shape: Shape,
  expected: readonly (number | string)[],
): void {
  if (shape === ABSENT) return;
  const fits =
    shape.length === expected.length &&
    expected.every((size, i) => typeof size === "string" || size === shape[i]);
  if (!fits) {
    throw new ShapeError(`${op}: ${what} must be [${expected.join(", ")}], got ${formatShape(shape)}`);
  }
}
