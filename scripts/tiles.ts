/**
 * Writes the GEMM micro-kernels, assembly/generated/tiles.ts: for 1 to 6 rows, a tile of C 16 columns wide and one of 8.
 * Every element of C has one accumulator and takes its products in ascending k, so all tiles give the same bits.
 *
 * V8 fuses two adjacent 128-bit operations into a 256-bit one where it finds their loads and stores in pairs, 16 bytes
 * apart off one local, with all loads before all stores. Hence the offsets instead of moving pointers.
 */
export const maxRows = 6;

/** Steps of k per turn of the loop, as measured: V8 keeps the wide tile in registers only when it is one. */
const steps = (width: number) => (width === 16 ? 1 : 2);

function tile(rows: number, width: number): string {
  const unroll = steps(width);
  const vectors = Array.from({ length: width / 4 }, (_, v) => v);
  const each = (line: (row: number, vector: number) => string) =>
    Array.from({ length: rows }, (_, r) => vectors.map((v) => `  ${line(r, v)}`)).flat();
  const pointers = (name: string, first: string, stride: string) =>
    Array.from(
      { length: rows },
      (_, r) => `  const ${name}${r} = ${r ? `${name}${r - 1} + ${stride}` : first};`,
    );
  const products = (step: number) => [
    ...vectors.map((v) => `    b${v} = v128.load(b, ${step * 64 + v * 16});`),
    ...Array.from({ length: rows }, (_, r) => [
      `    x = v128.load32_splat(a, ${4 * (step * rows + r)});`,
      ...vectors.map((v) => `    c${r}_${v} = madd(x, b${v}, c${r}_${v});`),
    ]).flat(),
  ];
  const loop = (count: string, steps: number) => [
    `  for (const end = a + ${count}; a != end; a += ${4 * rows * steps}, b += ${64 * steps}) {`,
    ...Array.from({ length: steps }, (_, step) => products(step)).flat(),
    "  }",
  ];
  return [
    `/** c[0..${rows}, 0..${width}] = start + a·b, k products each; a is a packed panel of ${rows} rows, b one of 16 columns. */`,
    `export function tile${rows}x${width}(a: usize, b: usize, k: usize, start: usize, startRow: usize, c: usize, cRow: usize): void {`,
    ...pointers("s", "start", "startRow"),
    ...each((r, v) => `let c${r}_${v} = v128.load(s${r}, ${v * 16});`),
    `  let x: v128, ${vectors.map((v) => `b${v}: v128`).join(", ")};`,
    ...(unroll > 1 ? loop(`k / ${unroll} * ${4 * rows * unroll}`, unroll) : []),
    ...loop(unroll > 1 ? `k % ${unroll} * ${4 * rows}` : `k * ${4 * rows}`, 1),
    ...pointers("d", "c", "cRow"),
    ...each((r, v) => `v128.store(d${r}, c${r}_${v}, ${v * 16});`),
    "}",
  ].join("\n");
}

/** Calls the tile of `rows` rows. */
function dispatch(width: number): string {
  return [
    `export function tile${width}(rows: i32, a: usize, b: usize, k: usize, start: usize, startRow: usize, c: usize, cRow: usize): void {`,
    "  switch (rows) {",
    ...Array.from({ length: maxRows }, (_, r) => [
      `    case ${r + 1}: tile${r + 1}x${width}(a, b, k, start, startRow, c, cRow); break;`,
    ]).flat(),
    "  }",
    "}",
  ].join("\n");
}

export function tiles(): string {
  const parts = ["// Written by scripts/tiles.ts. Do not edit.", 'import { madd } from "../math";'];
  for (const width of [16, 8]) {
    for (let rows = 1; rows <= maxRows; rows++) parts.push(tile(rows, width));
    parts.push(dispatch(width));
  }
  return `${parts.join("\n\n")}\n`;
}
