import { UsageError } from "../errors.ts";

/** float32 holds values and gradients, int32 tokens and lengths, int8 weights for inference (`toInt8`). */
export type DType = "float32" | "int32" | "int8";

export type Values = Float32Array | Float64Array | Int32Array;

let precision: "float32" | "float64" = "float32";

/** The float64 reference backend computes everything that is called float32 in float64. */
export function setPrecision(next: "float32" | "float64"): void {
  precision = next;
}

export function allocateValues(dtype: DType, length: number): Values {
  if (dtype === "int8") {
    throw new UsageError("tensor: int8 holds packed weights, which toInt8 makes of a float32 matrix");
  }
  if (dtype === "int32") return new Int32Array(length);
  return precision === "float64" ? new Float64Array(length) : new Float32Array(length);
}
