/**
 * The table: node bench.ts [--rows REGEX] [--contestants REGEX] [--rounds 3] [--seconds 0.7] [--out FILE.json]
 * or, from what a run has written, its page: node bench.ts --report [FILE.json]
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { contestants } from "./contestants/index.ts";
import { growths, picture } from "./growth.ts";
import { race } from "./race.ts";
import { figures, line, markdown } from "./report.ts";
import { isResult, type Report } from "./results.ts";
import { rows, share } from "./rows.ts";

const folder = join(import.meta.dirname, "results");

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rows: { type: "string", default: "" },
    contestants: { type: "string", default: "" },
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "0.7" },
    out: { type: "string" },
    report: { type: "boolean", default: false },
  },
});

/** results/README.md and its pictures, from the file that is named or the newest. */
function writePage(
  file = readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .sort()
    .at(-1),
): void {
  if (file === undefined) throw new Error(`${folder} has no results yet: npm run bench`);
  const report = JSON.parse(readFileSync(file.includes("/") ? file : join(folder, file), "utf8")) as Report;
  writeFileSync(join(folder, "README.md"), markdown(report));
  for (const growth of growths(report))
    writeFileSync(join(folder, `growth-${growth.axis}.svg`), `${picture(growth)}\n`);
  console.log(`written to ${join(folder, "README.md")}`);
}

async function run(): Promise<Report> {
  const git = (...args: string[]) =>
    execFileSync("git", args, { encoding: "utf8", cwd: import.meta.dirname }).trim();
  const began = new Date();
  const quoted = process.argv.slice(2).map((arg) => (/^[\w.,=-]+$/.test(arg) ? arg : `'${arg}'`));
  const report: Report = {
    machine: `${cpus()[0]?.model.trim() ?? "?"}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    node: process.version,
    v8: process.versions.v8,
    commit: git("rev-parse", "--short", "HEAD") + (git("status", "--porcelain") ? " with changes" : ""),
    date: began.toISOString(),
    minutes: 0,
    command: ["npm run bench", ...(quoted.length > 0 ? ["--", ...quoted] : [])].join(" "),
    environment: Object.fromEntries(
      Object.entries(process.env).flatMap(([name, value]) =>
        name.startsWith("OPENBLAS_") ? [[name, value!]] : [],
      ),
    ),
    rows: [],
  };
  console.log(`${report.machine}; Node ${report.node}; ${report.commit}`);
  const wanted = contestants.filter((c) => new RegExp(values.contestants).test(c.name));
  for (const row of rows.filter((r) => new RegExp(values.rows).test(r.name))) {
    const seconds = Number(values.seconds) * share[row.kind];
    const results = await race(row, wanted, { rounds: Number(values.rounds), seconds });
    report.rows.push({ row, results });
    const ours = results.find(isResult);
    console.log(`\n${row.name}\n${results.map((result) => line(result, ours)).join("\n")}`);
  }
  report.minutes = Math.round((Date.now() - began.getTime()) / 60_000);
  return report;
}

if (values.report) writePage(positionals[0]);
else {
  const report = await run();
  console.log(`\n${figures(report)}`);
  const out = values.out ?? join(folder, `${report.date.slice(0, 10)}.json`);
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(out, `${JSON.stringify(report, null, 2)}\n`);
  console.log(`\nwritten to ${out}`);
  if (values.out === undefined) writePage(out);
}
