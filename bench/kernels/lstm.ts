/** The ladder of the LSTM's forward pass: node bench/kernels/lstm.ts [seconds per version and size] [sizes, a pattern] */
import { expectClose, Room, times, values, versions } from "./ladder.ts";

interface Exports {
  /** Weights, bias and states as PyTorch has them, I = H; h and c in and out; gates [T, N, 4H] and cells out. */
  layer(
    ...operands: [
      ...[x: number, wIh: number, wHh: number, bias: number, gates: number, cells: number, output: number],
      ...[h: number, c: number, T: number, N: number, H: number, scratch: number],
    ]
  ): void;
}

/** A layer of the training rows of ../rows.ts; the first is for the check alone. */
const sizes = [
  { T: 5, N: 7, H: 24 },
  { T: 50, N: 50, H: 128 },
  { T: 64, N: 64, H: 256 },
  { T: 20, N: 20, H: 200 },
  { T: 35, N: 20, H: 648 },
];

const seconds = Number(process.argv[2] ?? 0.5);
const wanted = new RegExp(process.argv[3] ?? ".");
const made = await versions<Exports>("lstm");
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

function reference(
  [x, wIh, wHh, bias]: readonly Float32Array[],
  { T, N, H }: { T: number; N: number; H: number },
): Float64Array {
  const output = new Float64Array(T * N * H);
  for (let n = 0; n < N; n++) {
    let h = new Float64Array(H);
    const c = new Float64Array(H);
    for (let t = 0; t < T; t++) {
      const row = (t * N + n) * H;
      const gates = Float64Array.from({ length: 4 * H }, (_, j) => {
        let sum = bias![j]!;
        for (let i = 0; i < H; i++) sum += wIh![j * H + i]! * x![row + i]! + wHh![j * H + i]! * h[i]!;
        return sum;
      });
      const next = new Float64Array(H);
      for (let u = 0; u < H; u++) {
        const [i, f, g, o] = [0, 1, 2, 3].map((gate) => gates[gate * H + u]!) as [
          number,
          number,
          number,
          number,
        ];
        c[u] = sigmoid(f) * c[u]! + sigmoid(i) * Math.tanh(g);
        next[u] = sigmoid(o) * Math.tanh(c[u]!);
      }
      output.set(next, row);
      h = next;
    }
  }
  return output;
}

const table: Record<string, Record<string, string>> = Object.fromEntries(made.map(({ name }) => [name, {}]));
for (const [place, size] of sizes.entries()) {
  const { T, N, H } = size;
  const label = `T${T} N${N} H${H}`;
  if (place > 0 && !wanted.test(label)) continue;
  const scaled = (length: number, salt: number) => values(length, salt).map((v) => v / Math.sqrt(H));
  const given = [values(T * N * H), scaled(4 * H * H, 1), scaled(4 * H * H, 2), scaled(4 * H, 3)];
  const expected = place === 0 ? reference(given, size) : undefined;
  let first: Float32Array | undefined;
  const runs = made.map(({ name, exports, memory }) => {
    const room = new Room();
    const floats = new Float32Array(memory.buffer);
    const [x, wIh, wHh, bias] = given.map((operand) => {
      const at = room.floats(operand.length);
      floats.set(operand, at / 4);
      return at;
    }) as [number, number, number, number];
    const [gates, cells, output] = [
      room.floats(4 * T * N * H),
      room.floats(T * N * H),
      room.floats(T * N * H),
    ];
    const [h, c] = [room.floats(N * H), room.floats(N * H)];
    const scratch = room.floats(0);
    const run = () => {
      floats.fill(0, h / 4, c / 4 + N * H);
      exports.layer(x, wIh, wHh, bias, gates, cells, output, h, c, T, N, H, scratch);
    };
    run();
    const got = floats.slice(output / 4, output / 4 + T * N * H);
    // The large ones are checked against the first version, which the small one has checked against float64.
    first ??= got;
    expectClose(`${name} at ${label}`, got, expected ?? first);
    return run;
  });
  if (place === 0) continue;
  for (const [i, milliseconds] of times(runs, seconds).entries()) {
    table[made[i]!.name]![label] = milliseconds.toFixed(2);
  }
}
console.log("milliseconds, packing included");
console.table(table);
