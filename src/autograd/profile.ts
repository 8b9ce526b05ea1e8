import { type Shape, sizeOf } from "../tensor/shape.ts";
import { type Backend, backend, withBackend } from "./backend.ts";
import type { AnyOp, ForwardContext, Spec } from "./op.ts";

/** What one op came to in one direction, over all that was profiled. */
export interface OpProfile {
  op: string;
  pass: "forward" | "backward";
  count: number;
  milliseconds: number;
  /** Of all the time, 0 to 1. */
  share: number;
  /** 10⁹ multiplications and additions of matrix products a second; absent where an op has none. */
  gflops?: number;
  /** 10⁹ bytes a second if every tensor were moved once: what a cache does not hold is moved more often. */
  gigabytes: number;
}

export interface Profile {
  /** How often `run` was called, and what it took in all. */
  runs: number;
  milliseconds: number;
  /** The costliest first. What they leave of `milliseconds` is JavaScript: shapes, memory, the loop around. */
  ops: OpProfile[];
}

interface Cost {
  op: string;
  pass: OpProfile["pass"];
  count: number;
  milliseconds: number;
  flops: number;
  bytes: number;
}

/**
 * Measures what the ops cost that are run under it. It stands between them and the backend, so that there is nothing
 * of it where nobody measures.
 *
 *     const profiler = new Profiler();
 *     for (let i = 0; i < 20; i++) profiler.run(() => trainOn(inputs, targets));
 *     console.table(profiler.result().ops);
 */
export class Profiler {
  readonly #costs = new Map<string, Cost>();
  #runs = 0;
  #milliseconds = 0;

  /** Runs f, which must be synchronous and no part of another step, and counts it in. */
  run<T>(f: () => T): T {
    const measured = this.#measure(backend());
    const started = performance.now();
    try {
      return withBackend(measured, f);
    } finally {
      this.#runs++;
      this.#milliseconds += performance.now() - started;
    }
  }

  result(): Profile {
    const milliseconds = this.#milliseconds;
    const ops = [...this.#costs.values()].map(({ flops, bytes, ...cost }) => ({
      ...cost,
      share: cost.milliseconds / milliseconds,
      ...(flops > 0 && { gflops: flops / (cost.milliseconds * 1e6) }),
      gigabytes: bytes / (cost.milliseconds * 1e6),
    }));
    ops.sort((a, b) => b.milliseconds - a.milliseconds);
    return { runs: this.#runs, milliseconds, ops };
  }

  #measure(inner: Backend): Backend {
    return {
      ...inner,
      fill: (storage, value, scope) => {
        const bytes = 4 * storage.length;
        this.#time("zero gradient", "backward", { flops: 0, bytes }, () => inner.fill(storage, value, scope));
      },
      forward: (op, context, attributes) => {
        const cost = costOf(op, context, attributes, inner.absent);
        this.#time(op.name, "forward", cost, () => inner.forward(op, context, attributes));
      },
      backward: (op, context, attributes) => {
        const { flops, bytes } = costOf(op, context, attributes, inner.absent);
        // A gradient to each tensor, and two products to each of forward's.
        const cost = { flops: 2 * flops, bytes: 2 * bytes };
        this.#time(op.name, "backward", cost, () => inner.backward(op, context, attributes));
      },
    };
  }

  #time(op: string, pass: OpProfile["pass"], { flops, bytes }: Work, f: () => void): void {
    const started = performance.now();
    f();
    const milliseconds = performance.now() - started;
    const key = `${op} ${pass}`;
    const cost = this.#costs.get(key) ?? { op, pass, count: 0, milliseconds: 0, flops: 0, bytes: 0 };
    this.#costs.set(key, cost);
    cost.count++;
    cost.milliseconds += milliseconds;
    cost.flops += flops;
    cost.bytes += bytes;
  }
}

/** What a pass has to do. */
interface Work {
  flops: number;
  bytes: number;
}

/** Of an op's forward: as it says itself, or else every tensor once. */
function costOf(
  op: AnyOp,
  { shapes, inputs }: ForwardContext<string, string, string, unknown>,
  attributes: unknown,
  absent: unknown,
): Work {
  const { outputs, saved } = op.infer(shapes, attributes);
  const made = [...Object.values<Shape | Spec>(outputs), ...Object.values<Shape | Spec>(saved)];
  const read = Object.entries(shapes).filter(([name]) => inputs[name] !== absent);
  const floats =
    read.reduce((sum, [, shape]) => sum + sizeOf(shape), 0) +
    made.reduce((sum, spec) => sum + sizeOf("shape" in spec ? spec.shape : spec), 0);
  const { flops = 0, bytes = 4 * floats } = op.cost?.(shapes, attributes) ?? {};
  return { flops, bytes };
}
