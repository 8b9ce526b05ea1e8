export interface Attributes {
  stride: readonly [number, number];
  padding: readonly [number, number];
}

/**
 * Every pixel that a window sees from each of its places, what is outside left out: `visit(place, pixel, tap, places)`.
 */
export function eachTap(
  [H, W]: readonly [number, number],
  { kernel, stride, padding }: Attributes & { kernel: readonly [number, number] },
  visit: (place: number, pixel: number, tap: number, places: number) => void,
): void {
  const count = (size: number, axis: 0 | 1) =>
    Math.floor((size + 2 * padding[axis] - kernel[axis]) / stride[axis]) + 1;
  const [rows, columns] = [count(H, 0), count(W, 1)];
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      for (let k = 0; k < kernel[0]; k++) {
        for (let l = 0; l < kernel[1]; l++) {
          const y = i * stride[0] + k - padding[0];
          const x = j * stride[1] + l - padding[1];
          if (y < 0 || y >= H || x < 0 || x >= W) continue;
          visit(i * columns + j, y * W + x, k * kernel[1] + l, rows * columns);
        }
      }
    }
  }
}
