/** A release, as docs/releasing.md describes it, short of publishing. */
import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");
const read = (file: string) => readFileSync(join(root, file), "utf8");
const { version, scripts } = JSON.parse(read("package.json")) as {
  version: string;
  scripts: Record<string, string>;
};

function call(command: string, args: string[], variables: Record<string, string> = {}) {
  const { NODE_OPTIONS: _, ...env } = process.env;
  return spawnSync(command, args, { cwd: root, env: { ...env, ...variables }, encoding: "utf8" });
}

describe("npm pack --dry-run", () => {
  let files: string[];

  beforeAll(() => {
    expect(call(process.execPath, ["scripts/build.ts"]).status).toBe(0);
    const { stdout, stderr } = call("npm", ["pack", "--dry-run", "--ignore-scripts", "--json"]);
    expect(stdout, stderr).not.toBe("");
    const [packed] = Object.values(JSON.parse(stdout)) as [{ files: { path: string }[] }];
    files = packed.files.map(({ path }) => path).sort();
  });

  it("lists all that is built, the recipes' settings, and what is to be read", () => {
    const built = globSync(["dist/**/*.*", "recipes/*/*/config.json"], { cwd: root });
    const pages = ["CHANGELOG.md", "LICENSE", "README.md", "README.zh-CN.md", "package.json"];
    expect(built.length).toBeGreaterThan(200);
    expect(files).toEqual([...built.map((path) => path.replaceAll("\\", "/")), ...pages].sort());
  });

  it("lists no test, no map, no source and no kernel as a file", () => {
    const unwanted = /\.test\.|\.map$|\.wasm$|^(src|assembly|test|scripts|bench)\/|(?<!\.d)\.ts$/;
    expect(files.filter((path) => unwanted.test(path))).toEqual([]);
  });
});

describe(".github/workflows", () => {
  const release = read(".github/workflows/release.yml");
  const steps = (file: string) =>
    Array.from(read(file).matchAll(/^ +(?:- )?run: (.+)$/gm), ([, command]) => command!);

  it("check what .ci/run checks, before anything is published", () => {
    expect(steps(".github/workflows/ci.yml")).toEqual([".ci/run"]);
    expect(steps(".github/workflows/release.yml")[0]).toBe(".ci/run");
    expect(release).toMatch(/^ {2}publish:\n {4}needs: check$/m);
  });

  it("publish by the workflow's own identity, with provenance", () => {
    expect(release).toContain("id-token: write");
    expect(release).toMatch(/npm publish .*--provenance/);
    expect(release).not.toMatch(/secrets\.|NODE_AUTH_TOKEN/);
  });

  it("refuse a tag that is not the package's version", () => {
    const check = steps(".github/workflows/release.yml").find((step) => step.includes("GITHUB_REF_NAME"))!;
    const statusFor = (tag: string) => call("bash", ["-c", check], { GITHUB_REF_NAME: tag }).status;
    expect([statusFor(`v${version}`), statusFor("v99.0.0")]).toEqual([0, 1]);
  });

  it("run scripts that there are", () => {
    const called = steps(".github/workflows/release.yml").flatMap((step) =>
      Array.from(step.matchAll(/npm run (\S+)/g), ([, name]) => name!),
    );
    expect(called).toContain("docs");
    expect(called.filter((name) => !scripts[name])).toEqual([]);
  });
});
