/** Holds the house together: imports point down its floors, in no circle, and files stay small enough to read. */
import { readdirSync, readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");

/** From the ground up. A file imports from its own row or a lower one; every folder of src has its place here. */
const floors = [
  ["errors.ts", "options.ts"],
  ["engine"],
  ["tensor"],
  ["autograd", "ops"],
  ["nn", "optim"],
  ["training", "decoding", "metrics", "data", "ngram", "io", "plot"],
  ["tasks"],
  ["index.ts", "inference.ts", "testing", "worker"],
  ["cli"],
];

const read = (file: string) => readFileSync(join(root, file), "utf8");

/** The TypeScript files under a folder, generated ones left out. */
function filesUnder(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .map((name) => normalize(join(folder, name)))
    .filter((name) => name.endsWith(".ts") && !/\b(generated|node_modules)\b/.test(name))
    .sort();
}

/** What a file imports: paths from the root for its neighbours, else the specifier as it stands. */
function importsOf(file: string, source = read(file)): string[] {
  const statements = source.matchAll(/^(?:(?:import|export|\}).* from |import )"([^"]+)"/gm);
  const calls = source.matchAll(/\bimport\("([^"]+)"\)/g);
  return [...statements, ...calls].map(([, specifier]) =>
    specifier!.startsWith(".") ? normalize(join(dirname(file), specifier!)) : specifier!,
  );
}

/** What is left of `importsOf` when the types are gone. */
const valueImportsOf = (file: string) => importsOf(file, stripTypeScriptTypes(read(file)));

/** The first circle in a directed graph, as the names on it. */
function findCircle(graph: Map<string, Iterable<string>>): string[] | undefined {
  const done = new Set<string>();
  const path: string[] = [];
  function visit(node: string): string[] | undefined {
    if (path.includes(node)) return [...path.slice(path.indexOf(node)), node];
    if (done.has(node)) return undefined;
    path.push(node);
    for (const next of graph.get(node) ?? []) {
      const circle = visit(next);
      if (circle) return circle;
    }
    path.pop();
    done.add(node);
    return undefined;
  }
  for (const node of graph.keys()) {
    const circle = visit(node);
    if (circle) return circle;
  }
  return undefined;
}

const sources = filesUnder("src").filter((file) => !file.endsWith(".test.ts"));
const folderOf = (file: string) => file.split(/[\\/]/)[1]!;
const floorOf = (file: string) => floors.findIndex((row) => row.includes(folderOf(file)));
const inside = (path: string) => path.startsWith("src");

it("every folder of src stands on a floor", () => {
  expect(sources.filter((file) => floorOf(file) < 0)).toEqual([]);
});

it("imports point down", () => {
  const upward = sources.flatMap((file) =>
    importsOf(file)
      .filter((to) => inside(to) && floorOf(to) > floorOf(file))
      .map((to) => `${file} imports ${to}`),
  );
  expect(upward).toEqual([]);
});

it("no circle of files", () => {
  expect(findCircle(new Map(sources.map((file) => [file, valueImportsOf(file)])))).toBeUndefined();
});

it("no circle of folders", () => {
  const graph = new Map<string, Set<string>>();
  for (const file of sources) {
    const targets = graph.get(folderOf(file)) ?? new Set();
    graph.set(folderOf(file), targets);
    for (const to of importsOf(file)) {
      if (inside(to) && folderOf(to) !== folderOf(file)) targets.add(folderOf(to));
    }
  }
  expect(findCircle(graph)).toBeUndefined();
});

it("a page that imports the library loads no Node built-in", () => {
  const { imports: branches } = JSON.parse(read("package.json")) as {
    imports: Record<string, { source: { default: string } }>;
  };
  const seen = new Set<string>();
  const builtins: string[] = [];
  const visit = (file: string) => {
    if (seen.has(file) || file.includes("generated")) return;
    seen.add(file);
    for (const to of valueImportsOf(file)) {
      if (to.startsWith("#")) visit(normalize(branches[to]!.source.default));
      else if (to.startsWith("node:")) builtins.push(`${file} imports ${to}`);
      else if (inside(to)) visit(to);
    }
  };
  for (const entry of ["index.ts", "inference.ts", "worker/index.ts", "worker/entry.ts"])
    visit(join("src", ...entry.split("/")));
  expect(builtins).toEqual([]);
  expect(seen.size).toBeGreaterThan(20);
});

it("no source file is longer than 500 lines", () => {
  const long = ["assembly", "src", "scripts", "test", "examples"]
    .flatMap(filesUnder)
    .map((file) => ({ file, lines: read(file).split("\n").length - 1 }))
    .filter(({ lines }) => lines > 500);
  expect(long).toEqual([]);
});

it("every dependency has its reason in docs/dependencies.md", () => {
  const reasons = read("docs/dependencies.md");
  const missing = ["package.json", "toolchain/package.json", "examples/package.json"].flatMap((file) => {
    const manifest = JSON.parse(read(file)) as Record<string, Record<string, string> | undefined>;
    const names = ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"];
    return names
      .flatMap((kind) => Object.keys(manifest[kind] ?? {}))
      .filter((name) => name !== "unrolled" && !reasons.includes(`\`${name}\``));
  });
  expect(missing).toEqual([]);
});

it("the findings above can fail: a circle is found", () => {
  expect(
    findCircle(
      new Map([
        ["a", ["b", "c"]],
        ["b", ["c"]],
        ["c", ["b"]],
      ]),
    ),
  ).toEqual(["b", "c", "b"]);
  expect(importsOf("src/a/b.ts", 'import {\n  c,\n} from "../c.ts";\nexport * from "./d.ts";\n')).toEqual(
    ["src/c.ts", "src/a/d.ts"].map(normalize),
  );
});
