import { type Backend, withBackend } from "../autograd/backend.ts";
import type { AnyOp, Passes } from "../autograd/op.ts";
import { UnrolledError } from "../errors.ts";
import { onHost } from "../tensor/access.ts";
import { allocateValues, setPrecision, type Values } from "../tensor/dtype.ts";
import { Storage } from "../tensor/storage.ts";
import { references } from "./references.ts";

type ReferencePasses = Passes<string, string, string, unknown, Values>;

function referenceOf(op: AnyOp): ReferencePasses {
  const passes = (references as unknown as Record<string, ReferencePasses | undefined>)[op.name];
  if (!passes) throw new UnrolledError(`reference: has no op ${op.name}`);
  return passes;
}

const reference: Backend<Values> = {
  name: "reference",
  absent: new Float64Array(0),
  buffer: onHost,
  allocate(dtype, length, scope) {
    const storage = new Storage(dtype, length, { host: allocateValues(dtype, length) });
    storage.scope = scope;
    return storage;
  },
  fill: (storage, value) => storage.host!.fill(value),
  forward: (op, context, attributes) => referenceOf(op).forward(context, attributes),
  backward: (op, context, attributes) => referenceOf(op).backward!(context, attributes),
  mark: () => undefined,
  rewind() {},
};

/** Runs f on the float64 reference: tensors made in it are float64, ops run their plain TypeScript form. */
export function withReference<T>(f: () => T): T {
  setPrecision("float64");
  try {
    return withBackend(reference as Backend, f);
  } finally {
    setPrecision("float32");
  }
}
