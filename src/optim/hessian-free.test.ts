import { describe, expect, it } from "vitest";
import { parameter, type Tensor, tensor } from "../tensor/tensor.ts";
import { conjugateGradient } from "./conjugate-gradient.ts";
import { HessianFree } from "./hessian-free.ts";

/** A symmetric matrix with these eigenvalues, by two reflections. */
function matrixOf(eigenvalues: number[]): number[][] {
  const n = eigenvalues.length;
  let A = eigenvalues.map((e, i) => eigenvalues.map((_, j) => (i === j ? e : 0)));
  for (const seed of [1, 2]) {
    const u = eigenvalues.map((_, i) => Math.sin(seed + i * i));
    const uu = u.reduce((sum, x) => sum + x * x, 0);
    const Q = u.map((a, i) => u.map((b, j) => (i === j ? 1 : 0) - (2 * a * b) / uu));
    const times = (X: number[][], Y: number[][]) =>
      X.map((row) => Y[0]!.map((_, j) => row.reduce((sum, x, k) => sum + x * Y[k]![j]!, 0)));
    A = times(times(Q, A), Q);
  }
  expect(A).toHaveLength(n);
  return A;
}

const apply = (A: number[][], v: ArrayLike<number>) =>
  Float64Array.from(A, (row) => row.reduce((sum, a, j) => sum + a * v[j]!, 0));

describe("conjugate gradients", () => {
  it("solve a linear system in as many iterations as its matrix has different eigenvalues", () => {
    const A = matrixOf([1, 1, 5, 5, 20, 300]);
    const solution = Float64Array.from([1, -2, 3, -4, 5, -6]);
    const b = apply(A, solution);
    const iterates = conjugateGradient((v) => apply(A, v), b, new Float64Array(6), { maxIterations: 4 });
    const { x, value } = iterates.at(-1)!;
    for (const [i, xi] of x.entries()) expect(xi).toBeCloseTo(solution[i]!, 8);
    const half = solution.reduce((sum, s, i) => sum + s * b[i]!, 0) / 2;
    expect(value / -half).toBeCloseTo(1, 8);
    const values = iterates.map((iterate) => iterate.value);
    expect(values).toEqual([...values].sort((a, b) => b - a));
  });

  it("begin where they are told, and end where nothing is gained any more", () => {
    const A = matrixOf(Array.from({ length: 60 }, (_, i) => 1 + i ** 2));
    const b = Float64Array.from({ length: 60 }, (_, i) => Math.cos(i));
    let products = 0;
    const product = (v: Float64Array) => {
      products++;
      return apply(A, v);
    };
    const { x } = conjugateGradient(product, b, new Float64Array(60), {
      maxIterations: 1000,
      tolerance: 0,
    }).at(-1)!;
    const all = products;
    products = 0;
    const again = conjugateGradient(product, b, x, { maxIterations: 1000 });
    expect(products).toBeLessThan(20);
    expect(again.at(-1)!.value).toBeLessThan(0);
    products = 0;
    conjugateGradient(product, b, new Float64Array(60), { maxIterations: 1000 });
    expect(products).toBeLessThan(all);
  });

  it("stop at a direction of no curvature", () => {
    const A = matrixOf([-1, -2]);
    expect(
      conjugateGradient((v) => apply(A, v), Float64Array.of(1, 1), new Float64Array(2), { maxIterations: 9 }),
    ).toEqual([]);
  });
});

describe("HessianFree", () => {
  /** Rosenbrock's valley as a sum of squares, r = [10·(y − x²), 1 − x]: G = 2·JᵀJ. */
  function valley(options = {}) {
    const [x, y] = [parameter(new Float32Array([-1.2]), [1]), parameter(new Float32Array([1]), [1])];
    const at = () => [x.toArray()[0]!, y.toArray()[0]!] as const;
    const loss = () => {
      const [a, b] = at();
      return (10 * (b - a * a)) ** 2 + (1 - a) ** 2;
    };
    const structurals: number[] = [];
    const optimizer = new HessianFree(
      [x, y],
      {
        loss,
        product(v, structural) {
          structurals.push(structural);
          const [a] = at();
          const J = [
            [-20 * a, 10],
            [-1, 0],
          ];
          const Jv = apply(J, v);
          return Float64Array.from(
            [0, 1],
            (j) => 2 * (J[0]![j]! * Jv[0]! + J[1]![j]! * Jv[1]!) + structural * v[j]!,
          );
        },
      },
      options,
    );
    const step = () => {
      const [a, b] = at();
      const gradients = [-400 * a * (b - a * a) - 2 * (1 - a), 200 * (b - a * a)];
      for (const [i, p] of ([x, y] as Tensor[]).entries()) p.storage.grad = tensor([gradients[i]!]).storage;
      optimizer.step();
    };
    return { optimizer, loss, step, at, structurals, parameters: [x, y] };
  }

  it("walks down Rosenbrock's valley, never up, and leaves gradients zero", () => {
    const { step, loss, at, optimizer, parameters } = valley({ damping: 1 });
    let before = loss();
    for (let i = 0; i < 40; i++) {
      step();
      expect(loss()).toBeLessThanOrEqual(before);
      before = loss();
    }
    for (const value of at()) expect(value).toBeCloseTo(1, 3);
    // The model was right in the end: there is next to no damping left.
    expect(optimizer.damping).toBeLessThan(0.1);
    for (const p of parameters) expect([...p.grad!.toArray()]).toEqual([0]);
  });

  it("damps structurally by λ·μ", () => {
    const { step, structurals } = valley({ damping: 2, structuralDamping: 0.25 });
    step();
    // The last product tells the model without damping.
    expect(new Set(structurals.slice(0, -1))).toEqual(new Set([0.5]));
    expect(structurals.at(-1)).toBe(0);
  });

  it("stays where it is, and damps more, where no step helps", () => {
    const p = parameter(new Float32Array([3]), [1]);
    const optimizer = new HessianFree([p], {
      loss: () => (p.toArray()[0] === 3 ? 1 : Number.NaN),
      product: (v) => v.slice(),
    });
    p.storage.grad = tensor([1]).storage;
    optimizer.step();
    expect([...p.toArray()]).toEqual([3]);
    expect(optimizer.damping).toBe(1.5);
  });

  it("goes on from its state", () => {
    const [one, two] = [valley(), valley()];
    for (let i = 0; i < 5; i++) one.step();
    two.parameters.forEach((p, i) => {
      p.set(one.at()[i] === undefined ? [] : [one.at()[i]!]);
    });
    two.optimizer.loadStateDict(one.optimizer.stateDict());
    one.step();
    two.step();
    expect(two.at()).toEqual(one.at());
    expect(() => two.optimizer.loadStateDict(new Map())).toThrowErrorMatchingInlineSnapshot(
      `[FormatError: loadStateDict: the state does not fit HessianFree: must have a direction of 2 and a damping]`,
    );
    expect(() => valley({ damping: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[OptionError: HessianFree: damping must be a number above 0, got 0]`,
    );
  });
});
