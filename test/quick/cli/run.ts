import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { vi } from "vitest";
import { main } from "../../../src/cli/program.ts";

export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a command line in this process; what it writes is caught. */
export async function unrolled(...args: string[]): Promise<Outcome> {
  const outcome: Outcome = { code: 0, stdout: "", stderr: "" };
  const catchOutput = (name: "stdout" | "stderr") =>
    vi.spyOn(process[name], "write").mockImplementation((text) => {
      outcome[name] += text;
      return true;
    });
  const spies = [catchOutput("stdout"), catchOutput("stderr")];
  const signals = ["SIGINT", "SIGTERM"] as const;
  const listeners = signals.flatMap((signal) => process.listeners(signal));
  process.exitCode = undefined;
  try {
    await main(args);
    outcome.code = Number(process.exitCode ?? 0);
  } finally {
    for (const spy of spies) spy.mockRestore();
    process.exitCode = undefined;
    for (const signal of signals) {
      for (const listener of process.listeners(signal)) {
        if (!listeners.includes(listener)) process.off(signal, listener);
      }
    }
  }
  return outcome;
}

/** Runs it in a process of its own; `act` may interrupt it when it has written something. */
export function spawnUnrolled(
  args: string[],
  options: { input?: string | Uint8Array; act?: (child: ChildProcess, written: string) => void } = {},
): Promise<Outcome> {
  const entry = join(import.meta.dirname, "../../../src/cli/main.ts");
  const child = spawn(process.execPath, ["--conditions=source", entry, ...args]);
  const outcome: Outcome = { code: -1, stdout: "", stderr: "" };
  child.stdin.end(options.input ?? "");
  return new Promise((resolve, reject) => {
    child.stdout.on("data", (text) => {
      outcome.stdout += text;
      options.act?.(child, outcome.stdout);
    });
    child.stderr.on("data", (text) => {
      outcome.stderr += text;
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ ...outcome, code: code ?? -1 }));
  });
}

/** The JSON objects of an output, one a line. */
export function jsonLines(output: string): Record<string, unknown>[] {
  return output
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}
