import { describe, expect, it } from "vitest";
import { problem as problemOf } from "../../../test/problem.ts";
import { step } from "../../autograd/step.ts";
import { manualSeed } from "../../tensor/random.ts";
import { expectClose } from "../../testing/check-op.ts";
import { withReference } from "../../testing/reference-backend.ts";
import { MemoryBatches } from "./batches.ts";
import { gaussNewtonProduct } from "./gauss-newton.ts";
import { MemoryNetwork } from "./network.ts";
import type { MemoryOptions } from "./options.ts";
import { type ProblemName, problems } from "./problems.ts";
import { MemoryModel } from "./task.ts";

const T = 11;
const N = 2;

function setUp(problem: ProblemName) {
  manualSeed(1);
  const network = new MemoryNetwork({ problem, cell: "rnn", hiddenSize: 3, numLayers: 1 });
  const purpose = "training" as const;
  const batches = new MemoryBatches(problems[problem], {
    purpose,
    batchSize: N,
    length: [T, T],
    count: 1,
    seed: 1,
  });
  return { network, inputs: batches.at(0, 0).inputs };
}

/** The matrix itself: J by central differences of answers and states, H_L from its definition, all in float64. */
function dense(problem: ProblemName, structural: number): number[][] {
  const { network, inputs } = setUp(problem);
  const { outputSize, answer, answers: count } = problems[problem];
  const look = () =>
    step(() => {
      const { output } = network.rnn.forward(inputs);
      return [output.toArray(), network.answersOf(output).toArray()].map((x) => Float64Array.from(x));
    }) as [Float64Array, Float64Array];
  const [, answers] = look();
  const columns: [Float64Array, Float64Array][] = [];
  for (const p of network.parameters()) {
    const values = Float64Array.from(p.toArray());
    for (let i = 0; i < values.length; i++) {
      const change = (by: number) => {
        const moved = values.slice();
        moved[i]! += by;
        p.set(moved);
        return look();
      };
      const [up, down] = [change(1e-5), change(-1e-5)];
      const slope = (k: 0 | 1) => up[k].map((x, j) => (x - down[k][j]!) / 2e-5);
      columns.push([slope(0), slope(1)]);
    }
    p.set(values);
  }
  const rows = count * N;
  const p = Float64Array.from(answers, (y, i) => {
    const from = i - (i % outputSize);
    const all = answers.subarray(from, from + outputSize).reduce((sum, other) => sum + Math.exp(other), 0);
    return Math.exp(y) / all;
  });
  /** aᵀ·H_L·b */
  const form = (a: Float64Array, b: Float64Array) => {
    let total = 0;
    for (let row = 0; row < rows; row++) {
      let [ab, pa, pb] = [0, 0, 0];
      for (let c = 0; c < outputSize; c++) {
        const i = row * outputSize + c;
        if (answer === "number") ab += 2 * a[i]! * b[i]!;
        else {
          ab += p[i]! * a[i]! * b[i]!;
          pa += p[i]! * a[i]!;
          pb += p[i]! * b[i]!;
        }
      }
      total += (ab - pa * pb) / rows;
    }
    return total;
  };
  const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
  return columns.map(([hi, yi]) => columns.map(([hj, yj]) => form(yi, yj) + (structural / N) * dot(hi, hj)));
}

describe.each<ProblemName>(["addition", "copy", "temporal-order"])(
  "the Gauss–Newton product of %s",
  (problem) => {
    it.each([0, 0.7])("is the dense matrix's, column by column, with structural damping %d", (structural) => {
      withReference(() => {
        const matrix = dense(problem, structural);
        const { network, inputs } = setUp(problem);
        const products = matrix.flatMap((_, j) => {
          const unit = new Float64Array(matrix.length);
          unit[j] = 1;
          return [...gaussNewtonProduct(network, inputs, unit, structural)];
        });
        // Column by column; the matrix is symmetric.
        expectClose("the matrix", products, matrix.flat(), 1e-7);
      });
    });

    it("is the kernels' too, and leaves gradients zero", () => {
      const { network, inputs } = setUp(problem);
      const count = network.parameters().reduce((sum, { size }) => sum + size, 0);
      const v = Float64Array.from({ length: count }, (_, i) => Math.fround(Math.sin(i)));
      const product = gaussNewtonProduct(network, inputs, v, 0.3);
      for (const p of network.parameters()) expect(p.grad!.toArray().every((g) => g === 0)).toBe(true);
      const exact = withReference(() => {
        const same = setUp(problem);
        return gaussNewtonProduct(same.network, same.inputs, v, 0.3);
      });
      expectClose("product", product, exact, 1e-5);
    });
  },
);

describe("Hessian-free training", () => {
  const quick: MemoryOptions = {
    ...{ problem: "addition", length: 10, cell: "rnn", hiddenSize: 20, recurrentInit: "orthogonal" },
    ...{ optimizer: "hessian-free", batchSize: 200, maxSteps: 30, validSequences: 200, threads: 1 },
  };

  it("brings a tanh net to add, in few updates", async () => {
    const losses: number[] = [];
    const model = await MemoryModel.train({
      ...quick,
      onProgress(event) {
        if (event.type === "validation") losses.push(event.loss);
      },
    });
    // Always saying 1 has 1/6.
    expect(Math.min(...losses)).toBeLessThan(0.03);
    expect(model.config.training).toMatchObject({
      optimizer: "hessian-free",
      batchSize: 200,
      validateEvery: 5,
    });
    expect(model.config.training).not.toHaveProperty("clip");
  });

  it("refuses what is not for it", async () => {
    const train = (change: Partial<MemoryOptions>) => problemOf(MemoryModel.train({ ...quick, ...change }));
    expect(
      await Promise.all([
        train({ cell: "lstm", recurrentInit: undefined as never }),
        train({ nonlinearity: "relu" }),
        train({ numLayers: 2 }),
        train({ clip: 1 }),
        train({ optimizer: "adam", damping: 1 }),
        train({ damping: 0 }),
      ]),
    ).toMatchInlineSnapshot(`
      [
        "OptionError: MemoryModel.train: optimizer hessian-free is for a tanh net (cell rnn) of one layer, got 1 of cell lstm",
        "OptionError: MemoryModel.train: optimizer hessian-free is for a tanh net (cell rnn) of one layer, got 1 of cell rnn (relu)",
        "OptionError: MemoryModel.train: optimizer hessian-free is for a tanh net (cell rnn) of one layer, got 2 of cell rnn (tanh)",
        "OptionError: MemoryModel.train: clip is no option of optimizer hessian-free",
        "OptionError: MemoryModel.train: damping is for optimizer hessian-free, got adam",
        "OptionError: MemoryModel.train: damping must be a number above 0, got 0",
      ]
    `);
  });
});
