/** A training that is killed, again and again, at moments of no one's choosing, ends with the bytes it would have had. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";

const KILLS = 100;
/** Milliseconds of training between kills, at most. */
const LIFE = 350;

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "unrolled-kill-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function start(folder: string, threads: number): ChildProcess {
  const program = join(import.meta.dirname, "resume-child.ts");
  return spawn(process.execPath, ["--conditions=source", program, folder, String(threads)], {
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** Lets a training run until `life` milliseconds after it began; gives its exit code, null if it was killed. */
function run(folder: string, threads: number, life = Number.POSITIVE_INFINITY): Promise<number | null> {
  const child = start(folder, threads);
  let errors = "";
  let timer: ReturnType<typeof setTimeout> | undefined;
  const killIn = (milliseconds: number) => {
    timer = setTimeout(() => child.kill("SIGKILL"), milliseconds);
  };
  child.stderr!.on("data", (text) => {
    errors += text;
  });
  // Some are killed before they begin, while they look for what to go on from.
  if (life < 0) killIn(-life);
  else if (Number.isFinite(life)) child.stdout!.once("data", () => killIn(life));
  return new Promise((resolve, reject) => {
    child.on("close", (code) => {
      clearTimeout(timer);
      if (code !== null && code !== 0) reject(new Error(errors));
      else resolve(code);
    });
  });
}

const newest = (folder: string) =>
  readdirSync(join(folder, "training"))
    .filter((name) => /^\d+$/.test(name))
    .sort()
    .at(-1);

/** What a training comes to: all but the clock. */
function outcome(folder: string): Record<string, Buffer> {
  const checkpoint = join("training", newest(folder)!);
  const names = ["config.json", "tokenizer.json", "model.safetensors"];
  const own = ["state.safetensors", "best.safetensors"];
  return Object.fromEntries([
    ...names.map((name) => [name, readFileSync(join(folder, name))]),
    ...own.map((name) => [name, readFileSync(join(folder, checkpoint, name))]),
  ]);
}

/** What a kill interrupted, as far as the folder shows it. */
function moment(folder: string): string {
  const training = join(folder, "training");
  if (!existsSync(training)) return "before anything was written";
  const last = newest(folder);
  if (last === undefined) return "before the first checkpoint";
  const files = [...readdirSync(folder), ...readdirSync(training)];
  if (!existsSync(join(training, last, "manifest.json"))) return "while a checkpoint was written";
  const latest = join(training, "latest");
  const named = existsSync(latest) && readFileSync(latest, "utf8").trim() === last;
  if (!named || files.some((name) => name.endsWith(".tmp"))) return "while a file was replaced";
  const best = join(training, last, "best.safetensors");
  const model = join(folder, "model.safetensors");
  if (existsSync(best) && !(existsSync(model) && readFileSync(best).equals(readFileSync(model)))) {
    return "before the new best weights were the model's";
  }
  const { step, epoch } = JSON.parse(readFileSync(join(training, last, "manifest.json"), "utf8"));
  return step > 0 && step % STEPS_PER_EPOCH === 0 && epoch > 0
    ? "after an epoch's end"
    : "between checkpoints";
}

/** Updates in an epoch of resume-child.ts. */
const STEPS_PER_EPOCH = 19;

it(`ends with the same bytes, killed at ${KILLS} moments`, async () => {
  const whole = join(root, "whole");
  expect(await run(whole, 1)).toBe(0);
  const expected = outcome(whole);
  const moments = new Map<string, number>();
  const differences: string[] = [];
  let kills = 0;
  let chains = 0;
  const lane = async () => {
    while (kills < KILLS) {
      const folder = join(root, `chain-${chains++}`);
      for (let starts = 1; ; starts++) {
        const early = Math.random() < 0.1;
        const life = kills >= KILLS ? undefined : early ? -Math.random() * 600 : Math.random() * LIFE;
        const code = await run(folder, 1 + (starts % 2), life);
        if (code === 0) break;
        kills++;
        const when = moment(folder);
        moments.set(when, (moments.get(when) ?? 0) + 1);
      }
      const found = outcome(folder);
      for (const [name, bytes] of Object.entries(expected)) {
        if (name !== "config.json" && !found[name]?.equals(bytes)) differences.push(`${folder}: ${name}`);
      }
      rmSync(folder, { recursive: true, force: true });
    }
  };
  await Promise.all([lane(), lane()]);
  console.log(`${kills} kills of ${chains} trainings:`, Object.fromEntries(moments));
  expect(differences).toEqual([]);
  expect(kills).toBeGreaterThanOrEqual(KILLS);
  const writing = [...moments].filter(([when]) => /while|before the new/.test(when));
  expect(writing.reduce((sum, [, count]) => sum + count, 0)).toBeGreaterThan(KILLS / 20);
});
