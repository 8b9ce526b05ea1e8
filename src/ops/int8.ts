import { int8Kernels } from "#kernels";
import { apply, expectDtype } from "../autograd/apply.ts";
import { backend, workspace } from "../autograd/backend.ts";
import type { Op } from "../autograd/op.ts";
import { noGrad, step } from "../autograd/step.ts";
import { getEngine, share, use } from "../engine/engine.ts";
import { DataError, ShapeError, UsageError } from "../errors.ts";
import { keepInEngine } from "../tensor/access.ts";
import { formatShape } from "../tensor/shape.ts";
import { Storage } from "../tensor/storage.ts";
import { Tensor } from "../tensor/tensor.ts";

const run = use(int8Kernels);

/** Whose sums of k products of 8 and 7 bits fit 32. */
const MAX_WIDTH = 131_072;

/** Bytes of W [n, k] as assembly/int8.ts packs it. */
const packedBytes = (n: number, k: number) => Math.ceil(n / 16) * (128 + 64 * Math.ceil(k / 4));

const packOp: Op<"weight", never, never, { out: number }> = {
  name: "packInt8",
  infer: () => ({ outputs: {}, saved: {} }),
  forward({ shapes, inputs: { weight } }, { out }) {
    const [n, k] = shapes.weight as [number, number];
    const panels = Math.ceil(n / 16);
    run("packInt8", { weight, n, k, out }, panels, share(panels, 4 * n * k));
  },
};

/**
 * A weight matrix [n, k] in eight bits, for inference: each row is rounded to whole numbers from −127 to 127 times a scale of
 * its own. `linear`, `embedding`, `rnn`, `lstm` and `gru` take it in place of the matrix; what is multiplied by it is
 * rounded to seven bits as it comes, by the largest of its row. It has no gradient and cannot be read back.
 */
export function toInt8(weight: Tensor): Tensor {
  expectDtype("toInt8", "weight", weight, "float32");
  const [n, k] = weight.shape;
  if (weight.shape.length !== 2 || !n || !k || k > MAX_WIDTH) {
    throw new ShapeError(
      `toInt8: weight must be [rows, columns], of ${MAX_WIDTH} columns at most, got ${formatShape(weight.shape)}`,
    );
  }
  if (backend().name !== "wasm") {
    throw new UsageError("toInt8: must run on the WebAssembly kernels, the reference computes in float64");
  }
  const { memory } = getEngine();
  const storage = new Storage("int8", weight.size, { persistent: true });
  keepInEngine(storage, packedBytes(n, k));
  step(() => noGrad(() => apply(packOp, { weight }, { out: storage.address })));
  const bytes = packedBytes(16, k);
  for (let row = 0; row < n; row++) {
    const scale = memory.f32(storage.address + (row >> 4) * bytes, 16)[row & 15]!;
    if (Number.isNaN(scale)) throw new DataError(`toInt8: weight must be finite, row ${row} is not`);
  }
  return new Tensor([...weight.shape], storage);
}

/** Rows of an int8 weight as the right operand of a product, with the biases that the product starts from. */
export interface Int8Rows {
  at: number;
  /** The first row, how many, and their width. */
  first: number;
  columns: number;
  rows: number;
  bias: number;
  bias2: number;
  bias2Columns: number;
}

/** c [m, n] = start + a·Wᵀ, or on top of what c holds; addresses and strides in bytes. */
export function multiplyInt8(
  a: { at: number; row: number; rows: number },
  b: Int8Rows,
  c: { at: number; row: number },
  accumulate: boolean,
): void {
  const { rows: m } = a;
  const { at, first, columns: n, rows: k, bias, bias2, bias2Columns } = b;
  const rounded = workspace(m * Math.ceil(k / 4));
  const scales = workspace(m);
  run("roundRows", { a: a.at, aRow: a.row, k, out: rounded, scales }, m, share(m, 4 * m * k));
  const panels = Math.ceil((first + n) / 16) - Math.floor(first / 16);
  // A product of bytes costs a quarter of one of floats.
  const chunk = share(panels, (m * n * k) / 2, 4);
  const sums = workspace(64 * Math.ceil(panels / chunk));
  const operands = { a: rounded, scales, b: at, c: c.at, cRow: c.row, bias, bias2, bias2Columns, first };
  run("int8Product", { ...operands, m, n, k, accumulate: Number(accumulate), sums, chunk }, panels, chunk);
}

/** Rows of an int8 weight, as float32. */
export function int8RowsOf(weight: number, k: number, indices: number, count: number, out: number): void {
  run("int8Rows", { weight, indices, k, out }, count, share(count, count * k));
}
