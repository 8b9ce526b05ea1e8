/** The JavaScript side of the protocol in ../race.ts. */
import { createInterface } from "node:readline";
import type { Row } from "../rows.ts";

/** One step; a promise where the library is asynchronous. */
export type Step = () => unknown;

export async function serve(version: string, build: (row: Row) => Step | Promise<Step>): Promise<void> {
  let step: Step | undefined;
  for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line) as { row?: Row; seconds: number; repeat: number };
    if (request.row) {
      step = await build(request.row);
      answer({ ready: version });
      continue;
    }
    const milliseconds: number[] = [];
    const deadline = performance.now() + request.seconds * 1000;
    do {
      const started = performance.now();
      for (let i = 0; i < request.repeat; i++) {
        const result = step!();
        if (result instanceof Promise) await result;
      }
      milliseconds.push((performance.now() - started) / request.repeat);
    } while (performance.now() < deadline);
    answer({ milliseconds, peakRss: process.resourceUsage().maxRSS * 1024 });
  }
}

function answer(message: unknown): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

/** Loads a rival, or says how to get it. */
export async function rival<T>(load: () => Promise<T>, name: string): Promise<T> {
  try {
    return await load();
  } catch (error) {
    answer({ missing: `${name} (npm run bench installs it): ${String(error).split("\n")[0]}` });
    process.exit(0);
  }
}

/** Deterministic values in [−1, 1). */
export function values(length: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => (((i * 7919) % 2003) / 2003) * 2 - 1);
}

export function tokens(length: number, vocabulary: number): Int32Array {
  return Int32Array.from({ length }, (_, i) => (i * 7919 + (i >> 3)) % vocabulary);
}
