/** The ladder of the matrix product: node bench/kernels/gemm.ts [seconds per version and size] [sizes, a pattern] */
import { type GemmRow, rows } from "../rows.ts";
import { expectClose, Room, times, values, versions } from "./ladder.ts";

interface Exports {
  product(a: number, b: number, c: number, m: number, n: number, k: number, scratch: number): void;
}

const seconds = Number(process.argv[2] ?? 0.5);
const made = await versions<Exports>("gemm", "peak.ts");
const wanted = new RegExp(process.argv[3] ?? "2500×128×512|64×512×1536|3200×512×1024");
const sizes = rows.filter((row): row is GemmRow => row.kind === "gemm" && wanted.test(row.name));
const ragged = { m: 23, n: 53, k: 300 };

function reference(
  a: Float32Array,
  b: Float32Array,
  { m, n, k }: { m: number; n: number; k: number },
): Float64Array {
  const c = new Float64Array(m * n);
  for (let i = 0; i < m; i++) {
    for (let p = 0; p < k; p++) {
      const x = a[i * k + p]!;
      for (let j = 0; j < n; j++) c[i * n + j]! += x * b[p * n + j]!;
    }
  }
  return c;
}

const table: Record<string, Record<string, string>> = Object.fromEntries(made.map(({ name }) => [name, {}]));
for (const size of [ragged, ...sizes]) {
  const { m, n, k } = size;
  const [a, b] = [values(m * k), values(k * n, 7)];
  const expected = reference(a, b, size);
  const runs = made.map(({ name, exports, memory }) => {
    const room = new Room();
    const [atA, atB, atC] = [room.floats(m * k), room.floats(k * n), room.floats(m * n + 80)];
    const scratch = room.floats(0);
    const floats = new Float32Array(memory.buffer);
    floats.set(a, atA / 4);
    floats.set(b, atB / 4);
    const run = () => exports.product(atA, atB, atC, m, n, k, scratch);
    run();
    if (name !== "peak")
      expectClose(`${name} at ${m}×${k}×${n}`, floats.subarray(atC / 4, atC / 4 + m * n), expected);
    return run;
  });
  if (size === ragged) continue;
  for (const [i, milliseconds] of times(runs, seconds).entries()) {
    table[made[i]!.name]![`${m}×${k}×${n}`] = ((2 * m * n * k) / milliseconds / 1e6).toFixed(1);
  }
}
console.log("GFLOP/s, packing included");
console.table(table);
