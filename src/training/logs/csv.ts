import type { LogEvent } from "./event.ts";
import { type LogFormat, linesOf } from "./format.ts";

const FILE = "metrics.csv";

/** The columns, and where their numbers come from: a row is that of a step or of a validation. */
const columns: readonly [name: string, from: "step" | "validation", field: string][] = [
  ["epoch", "step", "epoch"],
  ["seconds", "step", "seconds"],
  ["tokens", "step", "tokens"],
  ["trainLoss", "step", "loss"],
  ["validLoss", "validation", "loss"],
  ["validPerplexity", "validation", "perplexity"],
  ["learningRate", "step", "learningRate"],
  ["gradNorm", "step", "gradNorm"],
  ["parameterNorm", "step", "parameterNorm"],
  ["tokensPerSecond", "step", "tokensPerSecond"],
];

const encoder = new TextEncoder();
const row = (cells: readonly (string | number)[]) => encoder.encode(`${cells.join(",")}\n`);

/** One row for each step event and one for each validation, for spreadsheets and data frames. */
export const csv: LogFormat = {
  fileName: () => FILE,
  owns: (name) => name === FILE,
  head: () => row(["step", ...columns.map(([name]) => name)]),
  encode(event: LogEvent) {
    if (event.type !== "step" && event.type !== "validation") return new Uint8Array(0);
    const numbers = event as LogEvent & Record<string, unknown>;
    return row([
      event.step,
      ...columns.map(([name, from, field]) =>
        from === event.type || name === "epoch" ? ((numbers[field] as number | undefined) ?? "") : "",
      ),
    ]);
  },
  lengthUpTo(step, bytes) {
    let length = 0;
    for (const { line, end } of linesOf(bytes)) {
      // The header's first cell is no number, and stays.
      if (Number.parseInt(line, 10) > step) break;
      length = end;
    }
    return length;
  },
};
