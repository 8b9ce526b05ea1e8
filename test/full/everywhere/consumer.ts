/** What a user gets: the packed tarball, installed without scripts into a project of its own. */
import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = join(dirname(fileURLToPath(import.meta.url)), "../../..");

export const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  version: string;
  exports: Record<string, unknown>;
  bin: Record<string, string>;
};

/** Everything that can be imported, and of that what is code. */
export const entries = Object.keys(manifest.exports).map((key) => `unrolled${key.slice(1)}`);
export const modules = entries.filter((name) => !name.endsWith(".json"));

export function call(command: string, args: string[], cwd: string): SpawnSyncReturns<string> {
  // The tests' own NODE_OPTIONS and source condition are not what a user has.
  const { NODE_OPTIONS: _, ...env } = process.env;
  return spawnSync(command, args, { cwd, env, encoding: "utf8", timeout: 120_000 });
}

export function succeed(command: string, args: string[], cwd: string): string {
  const { status, stdout, stderr, error } = call(command, args, cwd);
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${error ?? ""}${stdout}${stderr}`);
  return stdout;
}

export interface Packed {
  filename: string;
  size: number;
  unpackedSize: number;
  files: { path: string }[];
}

export interface Consumer {
  folder: string;
  /** The tarball, and what is in it. */
  tarball: string;
  packed: Packed;
  remove(): void;
}

export function makeConsumer(): Consumer {
  const work = mkdtempSync(join(tmpdir(), "unrolled-package-"));
  const folder = join(work, "consumer");
  succeed(process.execPath, ["scripts/build.ts"], root);
  const report = succeed("npm", ["pack", "--ignore-scripts", "--json", "--pack-destination", work], root);
  const [packed] = Object.values(JSON.parse(report)) as [Packed];
  const tarball = join(work, packed.filename);
  mkdirSync(folder);
  writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }\n');
  succeed("npm", ["install", "--ignore-scripts", tarball], folder);
  return { folder, tarball, packed, remove: () => rmSync(work, { recursive: true, force: true }) };
}
