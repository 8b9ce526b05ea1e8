/** results/README.md: a run as tables, figures and pictures, made from its JSON alone. */
import { formula, growths } from "./growth.ts";
import type { Missing, Result } from "./race.ts";
import { fastest, find, isResult, type RaceRow, type Report } from "./results.ts";
import type { Kind } from "./rows.ts";
import { summary } from "./summary.ts";

const sections: Record<Kind, string> = {
  training: "Training step: forward, loss, backward, clip, Adam",
  task: "Training step of a task: forward, its loss, backward, clip, Adam",
  forward: "Forward alone",
  streaming: "Streaming, batch 1",
  gemm: "Matrix products",
  kernel: "Other kernels",
  growth: "Cost as work grows",
};

export function duration(ms: number): string {
  return ms >= 100 ? `${ms.toFixed(0)} ms` : ms >= 1 ? `${ms.toFixed(1)} ms` : `${(ms * 1000).toFixed(1)} µs`;
}

const mebibytes = (bytes: number) => Math.round(bytes / 2 ** 20);

/** A row of a console's table. */
export function line(result: Result | Missing, ours: Result | undefined): string {
  if (!isResult(result)) return `  ${result.contestant.padEnd(36)} missing: ${result.missing}`;
  const ratio = ours ? `${(result.milliseconds / ours.milliseconds).toFixed(2)}×` : "";
  const rss = `${mebibytes(result.peakRss)} MiB`;
  return `  ${result.contestant.padEnd(36)} ${duration(result.milliseconds).padStart(9)}  ${ratio.padStart(8)}  ${rss.padStart(9)}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (row: readonly string[]) => `| ${row.join(" | ")} |`;
  return [cells(head), cells(head.map((_, i) => (i === 0 ? "---" : "---:"))), ...rows.map(cells)].join("\n");
}

function byKind(rows: readonly RaceRow[]): string {
  const others = new Set(
    rows.flatMap(({ results }) => results.filter(isResult).map(({ library }) => library)),
  );
  for (const own of ["unrolled", "PyTorch"]) others.delete(own);
  const libraries = [...others];
  return table(
    [
      "",
      "ours, 1 thread",
      "2 threads",
      "PyTorch, 1 thread",
      "ratio",
      "its best",
      "ratio",
      ...libraries,
      "MiB",
      "PyTorch's",
    ],
    rows.map((row) => {
      const [one, two] = [find(row, "unrolled", { threads: 1 }), find(row, "unrolled", { threads: 2 })];
      const [torch1, torch] = [fastest(row, "PyTorch", 1), fastest(row, "PyTorch")];
      const ms = (r: Result | undefined) => (r ? duration(r.milliseconds) : "–");
      const setting = (r: Result | undefined) =>
        r ? `${ms(r)} (${r.contestant.replace(/^PyTorch, /, "")})` : "–";
      const ratio = (a: Result | undefined, b: Result | undefined) =>
        a && b ? `${(a.milliseconds / b.milliseconds).toFixed(2)}×` : "–";
      return [
        row.row.name,
        ms(one),
        ms(two),
        setting(torch1),
        ratio(torch1, one),
        setting(torch),
        ratio(torch, two),
        ...libraries.map((library) => ms(fastest(row, library))),
        one ? `${mebibytes(one.peakRss)}` : "–",
        torch1 ? `${mebibytes(torch1.peakRss)}` : "–",
      ];
    }),
  );
}

function everything(rows: readonly RaceRow[]): string {
  const lines = rows.flatMap(({ row, results }) => {
    const ours = results.find(isResult);
    return [row.name, ...results.map((result) => line(result, ours)), ""];
  });
  return `\`\`\`\n${lines.join("\n").trimEnd()}\n\`\`\``;
}

export function figures(report: Report): string {
  const mark = (reached: boolean | undefined) =>
    reached === undefined ? "" : reached ? "reached" : "not reached";
  return table(
    ["", "aim", "measured", ""],
    summary(report).map(({ what, aim, measured, reached }) => [what, aim, measured, mark(reached)]),
  ).replace(/(---:? \| ?)+---:?/, "--- | --- | --- | ---");
}

export function markdown(report: Report): string {
  const versions = new Set(
    report.rows.flatMap(({ results }) => results.filter(isResult).map(({ version }) => version)),
  );
  const missing = new Set(
    report.rows.flatMap(({ results }) =>
      results.filter((r) => !isResult(r)).map((r) => `${r.contestant}: ${(r as Missing).missing}`),
    ),
  );
  const given = Object.entries(report.environment).map(([name, value]) => `${name}=${value}`);
  const growing = growths(report);
  return [
    "# The table",
    "Written by `npm run bench -- --report`; do not edit.",
    `${report.machine}. ${report.date.slice(0, 16).replace("T", " ")} UTC, ${report.minutes} minutes, commit ${report.commit}, V8 ${report.v8}:`,
    `\`\`\`sh\n${report.command}\n\`\`\``,
    `Raced: ${[...versions].sort().join("; ")}.`,
    missing.size > 0 ? `Missing: ${[...missing].join("; ")}.` : "",
    "Times are medians of rounds in which all take turns; a ratio says how many times as long as ours a rival takes. " +
      "“1 thread” and “2 threads” of PyTorch are what its OpenBLAS chooses for itself, with every OPENBLAS_ variable unset" +
      `${given.length > 0 ? ` (the environment had ${given.join(", ")})` : ""}; Haswell and SkylakeX are OPENBLAS_CORETYPE. ` +
      "MiB: the largest resident set, with 1 thread.",
    "## What was aimed at",
    figures(report),
    ...(Object.keys(sections) as Kind[]).flatMap((kind) => {
      const rows = report.rows.filter(({ row }) => row.kind === kind);
      return rows.length === 0 ? [] : [`## ${sections[kind]}`, byKind(rows)];
    }),
    growing.length > 0
      ? "Least squares over the sizes above, in milliseconds; linear, and of second degree in H, whose weights are H × H."
      : "",
    ...growing.flatMap((growth) => [
      `### ${growth.axis}: ${growth.network}`,
      `![time over ${growth.axis}](growth-${growth.axis}.svg)`,
      table(
        ["", "fit", "R²"],
        growth.curves.flatMap(({ name, fit }) =>
          fit ? [[name, formula(fit, growth.axis), fit.r2.toFixed(4)]] : [],
        ),
      ),
    ]),
    "## Every contestant",
    `<details><summary>${report.rows.length} rows</summary>`,
    everything(report.rows),
    "</details>",
  ]
    .filter(Boolean)
    .join("\n\n")
    .concat("\n");
}
