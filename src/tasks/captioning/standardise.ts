import type { ImageRows } from "../../data/images/image-table.ts";
import { sizeOf } from "../../tensor/shape.ts";
import type { Captioned } from "./corpus.ts";
import { FeatureEncoder, type ImageEncoder } from "./encoder.ts";

/** Gives an encoder of features the means and deviations of those of the images that are learnt from. */
export function standardise(encoder: ImageEncoder, { table, images }: Captioned): void {
  if (!(encoder instanceof FeatureEncoder)) return;
  const rows = images.map(({ row }) => row);
  for (const name of ["pooled", "grid"] as const) {
    const standard = encoder[name];
    const part = table.parts[name];
    if (!standard || !part) continue;
    const { mean, scale } = moments(part, rows);
    standard.mean.set(mean);
    standard.scale.set(scale);
  }
}

/** The mean of each channel, and 1 by its deviation; of a channel that is always the same, 1. */
function moments({ shape, values, scale: own, offset }: ImageRows, rows: readonly number[]) {
  const size = sizeOf(shape);
  const channels = shape[0]!;
  const cells = size / channels;
  const sum = new Float64Array(channels);
  const squares = new Float64Array(channels);
  for (const row of rows) {
    for (let i = 0; i < size; i++) {
      const c = Math.floor(i / cells);
      const value = values[row * size + i]! * (own?.[c] ?? 1) + (offset?.[c] ?? 0);
      sum[c]! += value;
      squares[c]! += value * value;
    }
  }
  const count = rows.length * cells;
  const mean = sum.map((total) => total / count);
  const scale = squares.map((total, c) => {
    const variance = total / count - mean[c]! ** 2;
    return variance > 1e-10 ? 1 / Math.sqrt(variance) : 1;
  });
  return { mean, scale };
}
