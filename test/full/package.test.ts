/** What a user gets: the packed tarball, installed without scripts, on every Node that is promised. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Consumer,
  call,
  entries,
  makeConsumer,
  manifest,
  modules,
  root,
  succeed,
} from "./everywhere/consumer.ts";
import { type Runtime, runtime } from "./everywhere/runtimes.ts";

let made: Consumer;
let consumer: string;
let packed: Consumer["packed"];
let bin: string;

beforeAll(() => {
  made = makeConsumer();
  consumer = made.folder;
  packed = made.packed;
  bin = join(consumer, "node_modules/unrolled", manifest.bin.unrolled!);
});

afterAll(() => made?.remove());

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

  it("weighs less than 1.2 megabytes", () => {
    expect(packed.size).toBeLessThan(1.2e6);
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

describe("those who check packages find nothing:", () => {
  it("publint", async () => {
    const { publint } = await import("publint");
    const { messages } = await publint({
      pkgDir: join(consumer, "node_modules/unrolled"),
      strict: true,
      pack: false,
    });
    expect(messages).toEqual([]);
  });

  it("are the types wrong?", () => {
    // ESM alone: `require` of it is Node's affair since 22.12, and tried below.
    const attw = join(root, "node_modules/@arethetypeswrong/cli/dist/index.js");
    const report = succeed(
      process.execPath,
      [attw, made.tarball, "--profile", "esm-only", "--no-emoji"],
      consumer,
    );
    expect(report).toContain('"unrolled/worker"');
  });
});

describe.each<Runtime>(["Node 22.12", "Node 24", "Node 26"])("%s", (name) => {
  let node: string;

  beforeAll(() => {
    [node] = runtime(name);
  });

  it("imports every export, and says nothing on stderr", () => {
    for (const name of modules) {
      const program = `const m = await import("${name}"); console.log(Object.keys(m).length)`;
      const { stdout, stderr } = call(node, ["--input-type=module", "-e", program], consumer);
      expect(stderr, name).toBe("");
      expect(Number(stdout), name).toBeGreaterThan(0);
    }
    const json = 'import p from "unrolled/package.json" with { type: "json" }; console.log(p.version)';
    expect(succeed(node, ["--input-type=module", "-e", json], consumer).trim()).toBe(manifest.version);
  });

  it("requires every export", () => {
    for (const name of entries) {
      succeed(node, ["--input-type=commonjs", "-e", `require("${name}")`], consumer);
    }
  });

  it("computes", () => {
    const program =
      'import { tanh, tensor } from "unrolled"; console.log(tanh(tensor([0.5])).item().toFixed(5))';
    expect(succeed(node, ["--input-type=module", "-e", program], consumer).trim()).toBe("0.46212");
  });

  it("runs the command", () => {
    expect(succeed(node, [bin, "--version"], consumer).trim()).toBe(manifest.version);
    const report = JSON.parse(succeed(node, [bin, "doctor", "--json"], consumer)) as { ok: boolean };
    expect(report.ok).toBe(true);
  });
});
