/** float32 holds values and gradients, int32 holds tokens and lengths. */
export type DType = "float32" | "int32";

export type Values = Float32Array | Float64Array | Int32Array;

let precision: "float32" | "float64" = "float32";

/** The float64 reference backend computes everything that is called float32 in float64. */
export function setPrecision(next: "float32" | "float64"): void {
  precision = next;
}

export function allocateValues(dtype: DType, length: number): Values {
  if (dtype === "int32") return new Int32Array(length);
  return precision === "float64" ? new Float64Array(length) : new Float32Array(length);
}
