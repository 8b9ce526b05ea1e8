/**
 * The table: node bench.ts [--rows REGEX] [--contestants REGEX] [--rounds 5] [--seconds 1] [--out FILE.json]
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { contestants } from "./contestants/index.ts";
import { type Missing, type Result, race } from "./race.ts";
import { rows } from "./rows.ts";

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "" },
    contestants: { type: "string", default: "" },
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "1" },
    out: { type: "string" },
  },
});

const git = (...args: string[]) =>
  execFileSync("git", args, { encoding: "utf8", cwd: import.meta.dirname }).trim();
const report = {
  machine: `${cpus()[0]?.model ?? "?"}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`,
  node: process.version,
  v8: process.versions.v8,
  commit: git("rev-parse", "--short", "HEAD") + (git("status", "--porcelain") ? " with changes" : ""),
  date: new Date().toISOString(),
  command: `npm run bench -- ${process.argv.slice(2).join(" ")}`.trim(),
  rows: [] as { row: string; results: (Result | Missing)[] }[],
};

function milliseconds(ms: number): string {
  return ms >= 100 ? `${ms.toFixed(0)} ms` : ms >= 1 ? `${ms.toFixed(1)} ms` : `${(ms * 1000).toFixed(1)} µs`;
}

console.log(`${report.machine}; Node ${report.node}; ${report.commit}`);
const wanted = contestants.filter((c) => new RegExp(values.contestants).test(c.name));
for (const row of rows.filter((r) => new RegExp(values.rows).test(r.name))) {
  const results = await race(row, wanted, { rounds: Number(values.rounds), seconds: Number(values.seconds) });
  report.rows.push({ row: row.name, results });
  console.log(`\n${row.name}`);
  const ours = results.find((r): r is Result => "milliseconds" in r);
  for (const result of results) {
    if ("missing" in result) {
      console.log(`  ${result.contestant.padEnd(36)} missing: ${result.missing}`);
      continue;
    }
    const ratio = ours ? `${(result.milliseconds / ours.milliseconds).toFixed(2)}×` : "";
    const rss = `${Math.round(result.peakRss / 2 ** 20)} MiB`;
    console.log(
      `  ${result.contestant.padEnd(36)} ${milliseconds(result.milliseconds).padStart(9)}  ${ratio.padStart(8)}  ${rss.padStart(9)}`,
    );
  }
}

const out = values.out ?? join(import.meta.dirname, "results", `${report.date.slice(0, 10)}.json`);
mkdirSync(dirname(out), { recursive: true });
writeFileSync(out, `${JSON.stringify(report, null, 2)}\n`);
console.log(`\nwritten to ${out}`);
