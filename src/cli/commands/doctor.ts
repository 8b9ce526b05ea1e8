import { cpus } from "node:os";
import type { Command } from "commander";
import type { Build } from "../../engine/features.ts";
import { examples } from "../ui/examples.ts";
import { version } from "../version.ts";

interface Problem {
  what: string;
  hint: string;
}

interface Diagnosis {
  ok: boolean;
  version: string;
  node: string;
  v8: string;
  platform: string;
  processor: string;
  processors: number;
  threads: number;
  build: Build;
  revectorizer: boolean;
  /** Rows and columns of the part of a matrix product that is computed in registers. */
  tile?: readonly [rows: number, columns: number];
  memoryMaximumBytes: number;
  /** `checked`: against known results, on this machine, just now. */
  kernels: { family: string; build: Build; checked: boolean }[];
  /** 10⁹ float operations a second of a matrix product, by the number of threads. */
  gflops: Record<string, number>;
  problems: Problem[];
}

export function define(command: Command): void {
  command
    .description(
      "Checks what this machine can do: the kernels against known results, threads, memory, speed. " +
        "Fails if results cannot be trusted; names what would make it faster.",
    )
    .option("--json", "print one JSON object")
    .action(async (options: { json?: true }) => {
      const diagnosis = await diagnose();
      process.stdout.write(options.json ? `${JSON.stringify(diagnosis)}\n` : format(diagnosis));
      if (!diagnosis.ok) process.exitCode = 1;
    });
  examples(command, [
    ["is all well?", "unrolled doctor"],
    ["for a bug report", "unrolled doctor --json"],
  ]);
}

/** The largest tiles of assembly/gemm.ts, where vectors are wide and where they are not. */
const tiles = { wide: [6, 16], narrow: [6, 8] } as const;

async function diagnose(): Promise<Diagnosis> {
  const { control } = await import("../../engine/control.ts");
  const { getEngine, threads, use } = await import("../../engine/engine.ts");
  const { availableThreads, hasRelaxedSimd, nodeV8Major } = await import("../../engine/features.ts");
  const { selfChecks } = await import("../../engine/self-check.ts");
  const { canRevectorize } = await import("../../engine/v8-flags.ts");
  const problems: Problem[] = [];
  const diagnosis: Diagnosis = {
    ok: true,
    version: version(),
    node: process.versions.node,
    v8: process.versions.v8,
    platform: `${process.platform}-${process.arch}`,
    processor: cpus()[0]?.model.trim() ?? "unknown",
    processors: availableThreads(),
    threads: threads(),
    build: hasRelaxedSimd() ? "relaxed" : "plain",
    revectorizer: canRevectorize(),
    memoryMaximumBytes: 0,
    kernels: [],
    gflops: {},
    problems,
  };
  try {
    const engine = getEngine();
    diagnosis.build = engine.build;
    diagnosis.memoryMaximumBytes = engine.memory.maximum;
    diagnosis.tile = engine.memory.i32(control.wideTiles, 1)[0] ? tiles.wide : tiles.narrow;
    use(...Object.values(await import("#kernels")));
    engine.loadAll();
    diagnosis.kernels = engine.compiled.map((family) => ({
      family,
      build: engine.demoted.has(family) ? "plain" : engine.build,
      checked: selfChecks[family] !== undefined,
    }));
    for (const family of engine.demoted) {
      problems.push({
        what: `the relaxed build of the ${family} kernels fails its check here; the plain one is used`,
        hint: "results are right but slower; please report this output",
      });
    }
    diagnosis.gflops = await speed(diagnosis.threads);
  } catch (error) {
    diagnosis.ok = false;
    const [what, hint] = (error as Error).message.split("\nhint: ");
    problems.push({ what: what!, hint: hint ?? "please report this output" });
  }
  advise(diagnosis, hasRelaxedSimd(), nodeV8Major());
  return diagnosis;
}

function advise(
  { build, revectorizer, threads, processors, problems, memoryMaximumBytes }: Diagnosis,
  relaxed: boolean,
  v8: number | undefined,
) {
  const forced = (name: string) => process.env[name] !== undefined;
  if (build === "plain") {
    problems.push({
      what: "multiplication and addition are not fused (plain SIMD)",
      hint: relaxed ? "unset UNROLLED_SIMD" : "use Node 24 or newer",
    });
  }
  if (!revectorizer) {
    problems.push({
      what: "vectors are 128 bits wide",
      hint: forced("UNROLLED_REVECTORIZE")
        ? "unset UNROLLED_REVECTORIZE"
        : "use Node 26, where they are 256 and matrix products 1.5 to 2 times as fast",
    });
  } else if (v8 === 13) {
    problems.push({
      what: "this Node's V8 leaves parts of tanh, sigmoid and exp at 128 bits",
      hint: "use Node 26, which computes them 1.5 times as fast",
    });
  }
  if (threads < processors && forced("UNROLLED_THREADS")) {
    problems.push({
      what: `${threads} of ${processors} processors are used`,
      hint: "unset UNROLLED_THREADS",
    });
  }
  if (memoryMaximumBytes > 0 && memoryMaximumBytes < 2 ** 32) {
    problems.push({
      what: `memory is limited to ${memoryMaximumBytes / 2 ** 20} MiB of a possible 4096`,
      hint: "raise the limit on this process's address space (ulimit -v)",
    });
  }
}

/** A matrix product's speed with one thread and with all, each the best of some, after a warm-up. */
async function speed(most: number): Promise<Record<string, number>> {
  const { setThreads } = await import("../../engine/engine.ts");
  const { matmul } = await import("../../ops/matmul.ts");
  const { step } = await import("../../autograd/step.ts");
  const { zeros } = await import("../../tensor/tensor.ts");
  const size = 512;
  const x = zeros([size, size]);
  const gflops: Record<string, number> = {};
  for (const count of new Set([1, most])) {
    setThreads(count);
    let best = Infinity;
    for (let i = 0; i < 12; i++) {
      const started = performance.now();
      step(() => {
        matmul(x, x);
      });
      best = Math.min(best, performance.now() - started);
    }
    gflops[count] = Number(((2 * size ** 3) / (best * 1e6)).toFixed(1));
  }
  return gflops;
}

function checks({ kernels }: Diagnosis): string {
  const without = kernels.filter(({ checked }) => !checked).map(({ family }) => family);
  const passed = `${kernels.length - without.length} families of kernels give the known results`;
  return without.length > 0 ? `${passed}; ${without.join(", ")} have no check` : passed;
}

function format(d: Diagnosis): string {
  const speeds = Object.entries(d.gflops).map(
    ([n, g]) => `${g} GFLOP/s on ${n} thread${n === "1" ? "" : "s"}`,
  );
  const rows: [string, string][] = [
    ["unrolled", d.version],
    ["Node", `${d.node} (V8 ${d.v8.split("-")[0]}) on ${d.platform}`],
    ["processor", d.processor],
    [
      "kernels",
      `${d.build} SIMD, ${d.revectorizer ? "256-bit vectors (revectoriser on)" : "128-bit vectors (revectoriser off)"}`,
    ],
    ["tile", d.tile ? `${d.tile.join("×")} of a matrix product in registers` : "not known"],
    ["threads", `${d.threads} of ${d.processors} processors`],
    ["memory", `up to ${d.memoryMaximumBytes / 2 ** 20} MiB`],
    ["checks", d.ok ? checks(d) : "FAILED"],
    ["speed", `${speeds.join(", ") || "not measured"} (matrix product 512×512×512)`],
  ];
  const table = rows.map(([name, value]) => `${name.padEnd(10)} ${value}`).join("\n");
  const problems = d.problems.map(({ what, hint }) => `! ${what}\n  hint: ${hint}`);
  return `${table}\n\n${problems.join("\n") || "All is well."}\n`;
}
