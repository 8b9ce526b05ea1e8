import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { linearKernels } from "#kernels";
import { step } from "../autograd/step.ts";
import { control } from "../engine/control.ts";
import { getEngine, setThreads, threads, use } from "../engine/engine.ts";
import { Generator } from "../tensor/random.ts";
import { addColumnSums, matrix, multiply, pack, productScratch, transposed } from "./gemm.ts";

const run = use(linearKernels);

const before = threads();
beforeAll(() => setThreads(2));
afterAll(() => setThreads(before));

function draw(length: number, seed: number): number {
  const { memory } = getEngine();
  const address = memory.scratch(length * 4);
  const generator = new Generator(seed);
  memory.f32(address, length).set(Float32Array.from({ length }, () => generator.normal()));
  return address;
}

const bytes = (address: number, length: number) =>
  Buffer.from(new Uint8Array(getEngine().memory.f32(address, length).slice().buffer)).toString("base64");

/** The product's bytes with each tile, cut into chunks of rows or of panels. */
function variants(m: number, n: number, k: number, accumulate: boolean): Map<string, string> {
  const results = new Map<string, string>();
  const { memory } = getEngine();
  const wideTiles = memory.i32(control.wideTiles, 1);
  const wideBefore = wideTiles[0]!;
  step(() => {
    const a = draw(m * k, 1);
    const packed = pack(matrix(draw(k * n, 2), k, n), draw(n, 3));
    const panels = Math.ceil(n / 16);
    for (const wide of [1, 0]) {
      wideTiles[0] = wide;
      for (const [kernel, count] of [
        ["gemmRows", m],
        ["gemmPanels", panels],
      ] as const) {
        for (const chunk of new Set([count, Math.ceil(count / 2), Math.ceil(count / 16)])) {
          const c = draw(m * n, 4);
          const strides = { aRow: 4 * k, aColumn: 4, cRow: 4 * n };
          const scratch = productScratch(count, chunk);
          const args = {
            a,
            b: packed.at,
            c,
            ...strides,
            m,
            n,
            k,
            accumulate: Number(accumulate),
            scratch,
            chunk,
          };
          run(kernel, args, count, chunk);
          results.set(`${kernel}, chunks of ${chunk}, ${wide ? "wide" : "narrow"} tiles`, bytes(c, m * n));
        }
      }
    }
  });
  wideTiles[0] = wideBefore;
  return results;
}

describe("a product has the same bits", () => {
  it.each(Array.from({ length: 17 }, (_, i) => i + 1))("in every tile and split, %i rows", (m) => {
    for (const accumulate of [false, true]) {
      const results = [...variants(m, 85, 300, accumulate)];
      for (const [name, result] of results) expect(result, name).toBe(results[0]![1]);
    }
  });

  it("for each row alone as among others, and for transposed operands", () => {
    const [m, n, k] = [17, 64 + 32 + 16 + 5, 70];
    step(() => {
      const { memory } = getEngine();
      const a = matrix(draw(m * k, 1), m, k);
      const b = matrix(draw(k * n, 2), k, n);
      const all = matrix(memory.scratch(m * n * 4), m, n);
      multiply(a, pack(b), all);
      const copyTransposed = ({ at, rows, columns }: typeof a) => {
        const values = memory.f32(at, rows * columns).slice();
        const address = memory.scratch(values.byteLength);
        const out = memory.f32(address, values.length);
        for (let i = 0; i < values.length; i++) {
          out[(i % columns) * rows + Math.floor(i / columns)] = values[i]!;
        }
        return transposed(matrix(address, columns, rows));
      };
      const turned = matrix(memory.scratch(m * n * 4), m, n);
      multiply(copyTransposed(a), pack(copyTransposed(b)), turned);
      expect(bytes(turned.at, m * n)).toBe(bytes(all.at, m * n));
      const row = matrix(memory.scratch(n * 4), 1, n);
      for (let i = 0; i < m; i++) {
        multiply({ ...a, at: a.at + 4 * i * k, rows: 1 }, pack(b), row);
        expect(bytes(row.at, n), `row ${i}`).toBe(bytes(all.at + 4 * i * n, n));
      }
    });
  });
});

it("starts from both biases, or from nothing, and leaves what stands beside C alone", () => {
  step(() => {
    const { memory } = getEngine();
    const c = matrix(draw(3 * 8, 5), 3, 5, 8);
    const before = memory.f32(c.at, 24).slice();
    const [first, second] = [draw(5, 6), draw(5, 7)];
    multiply(matrix(draw(0, 1), 3, 0), pack(matrix(draw(0, 2), 0, 5), first, second), c);
    const after = memory.f32(c.at, 24);
    for (let i = 0; i < 24; i++) {
      const sum = memory.f32(first, 5)[i % 8]! + memory.f32(second, 5)[i % 8]!;
      expect(after[i]).toBe(i % 8 < 5 ? Math.fround(sum) : before[i]);
    }
  });
});

it("adds column sums, with the same bits for a column alone as among others", () => {
  const [rows, n] = [8 * 3 + 5, 8 * 4 + 4 + 3];
  step(() => {
    const { memory } = getEngine();
    const x = matrix(draw(rows * n, 1), rows, n);
    const all = draw(n, 2);
    const start = memory.f32(all, n).slice();
    addColumnSums(x, all);
    for (let j = 0; j < n; j++) {
      let sum = start[j]!;
      for (let r = 0; r < rows; r++) sum += memory.f32(x.at, rows * n)[r * n + j]!;
      expect(memory.f32(all, n)[j]).toBeCloseTo(sum, 4);
      const alone = memory.scratch(4);
      memory.f32(alone, 1)[0] = start[j]!;
      addColumnSums({ ...x, at: x.at + 4 * j, columns: 1 }, alone);
      expect(bytes(alone, 1), `column ${j}`).toBe(bytes(all + 4 * j, 1));
    }
  });
});
