/**
 * Builds the package: assembly/*.ts → WebAssembly, twice (plain and relaxed SIMD), deflated and embedded as base64 in
 * src/engine/generated/, with the kernels' argument layouts read from their own source; then src → dist, and
 * dist → dist/browser.
 *
 *   node scripts/build.ts             everything
 *   node scripts/build.ts --kernels   the kernels alone
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { constants, deflateRawSync } from "node:zlib";
import { assemble, numbers } from "./assemble.ts";
import { families, helpers } from "./families.ts";
import { tiles } from "./tiles.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const generated = join(root, "src/engine/generated");

interface Kernel {
  name: string;
  family: string;
  fields: { name: string; type: "i32" | "f32" }[];
}

/** Reads `@unmanaged class XArgs { … }` and `export function x(a: XArgs, from: i32, to: i32)` from a kernel file. */
function readKernels(family: string, source: string): Kernel[] {
  const layouts = new Map<string, Kernel["fields"]>();
  for (const [, name, body] of source.matchAll(/@unmanaged\s+export class (\w+)\s*\{([^}]*)\}/g)) {
    const code = body!.replace(/\/\/[^\n]*/g, "");
    const fields = [...code.matchAll(/(\w+)\s*:\s*(\w+)/g)].map(([, field, type]) => {
      if (type !== "usize" && type !== "i32" && type !== "f32") {
        throw new Error(`${family}: ${name}.${field} must be usize, i32 or f32, got ${type}`);
      }
      return { name: field!, type: type === "f32" ? ("f32" as const) : ("i32" as const) };
    });
    layouts.set(name!, fields);
  }
  const kernels: Kernel[] = [];
  for (const [, name, args] of source.matchAll(
    /^export function (\w+)\(\w+: (\w+), from: i32, to: i32\): void/gm,
  )) {
    const fields = layouts.get(args!);
    if (!fields) throw new Error(`${family}: ${name} takes ${args}, which no @unmanaged class declares`);
    kernels.push({ name: name!, family, fields });
  }
  return kernels;
}

function digest(): string {
  const hash = createHash("sha256");
  const files = ["build", "assemble", "families", "tiles"].map((name) => `scripts/${name}.ts`);
  files.push("src/engine/control.ts", "node_modules/assemblyscript/package.json");
  for (const name of readdirSync(join(root, "assembly")).sort()) {
    if (name.endsWith(".ts")) files.push(`assembly/${name}`);
  }
  for (const file of files) hash.update(file).update(readFileSync(join(root, file)));
  return hash.digest("hex");
}

/** A family as src/engine/kernel-source.ts describes it; `build` says where to find one of its builds. */
function source(family: string, kernels: readonly Kernel[], build: (name: string) => string): string {
  const first = kernels.findIndex((kernel) => kernel.family === family);
  const layouts = kernels
    .filter((kernel) => kernel.family === family)
    .map(({ name, fields }) => {
      const layout = fields
        .map((field) => (field.type === "f32" ? `${field.name}:f32` : field.name))
        .join(" ");
      return `${name}: "${layout}"`;
    });
  return (
    `export const ${family}Kernels = { family: "${family}", first: ${first}, kernels: { ${layouts.join(", ")} }, ` +
    `relaxed: () => ${build("relaxed")}, plain: () => ${build("plain")} } as const;`
  );
}

/** The families where the kernels are at hand at once. */
function embedded(header: string, kernels: readonly Kernel[]): string {
  return [
    header,
    ...(["relaxed", "plain"] as const).flatMap((build) =>
      families.map((family) => `import ${build}_${family} from "./${build}/${family}.ts";`),
    ),
    "",
    ...families.map((family) => source(family, kernels, (build) => `${build}_${family}`)),
    "",
  ].join("\n");
}

/** The families where each is downloaded on its own; a bundle has those that its code names. */
function downloaded(header: string, kernels: readonly Kernel[]): string {
  return [
    header,
    ...families.map((family) => source(family, kernels, (build) => `import("./${build}/${family}.ts")`)),
    "",
  ].join("\n");
}

async function buildKernels(): Promise<void> {
  const stamp = join(generated, "digest.txt");
  const now = digest();
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === now) return;
  mkdirSync(generated, { recursive: true });
  mkdirSync(join(root, "assembly/generated"), { recursive: true });
  writeFileSync(join(root, "assembly/generated/tiles.ts"), tiles());

  const header = "// Written by scripts/build.ts. Do not edit.\n";
  const kernels: Kernel[] = [];
  for (const family of families) {
    const sources = [family, ...(helpers[family] ?? [])];
    for (const file of sources) {
      kernels.push(...readKernels(family, readFileSync(join(root, `assembly/${file}.ts`), "utf8")));
    }
  }
  const rows: string[] = [];
  const all = createHash("sha256");
  for (const build of ["relaxed", "plain"] as const) {
    mkdirSync(join(generated, build), { recursive: true });
    for (const family of families) {
      const wasm = await assemble(`assembly/${family}.ts`, build === "relaxed", family === "core");
      all.update(wasm);
      const deflated = deflateRawSync(wasm, { level: constants.Z_BEST_COMPRESSION });
      const bytes = `export default "${deflated.toString("base64")}";`;
      writeFileSync(join(generated, build, `${family}.ts`), `${header}${bytes}\n`);
      rows.push(`${build.padEnd(8)} ${family.padEnd(10)} ${wasm.length} bytes, deflated ${deflated.length}`);
    }
  }
  writeFileSync(join(generated, "kernels.node.ts"), embedded(header, kernels));
  writeFileSync(join(generated, "kernels.browser.ts"), downloaded(header, kernels));
  const abi = [
    header,
    `export const families = ${JSON.stringify(families)} as const;`,
    "export type Family = (typeof families)[number];",
    "",
    "/** How many kernels there are: places in the function table. */",
    `export const kernelCount = ${kernels.length};`,
    "export type KernelName = keyof KernelArgs;",
    "",
    "/** Tells these kernels from others. */",
    `export const kernelDigest = "${all.digest("hex").slice(0, 16)}";`,
    "",
    "/** The kernels of a family, or of some. */",
    "export type KernelsOf<F extends Family> = { [K in KernelName]: FamilyOf[K] extends F ? K : never }[KernelName];",
    "",
    "interface FamilyOf {",
    ...kernels.map((k) => `  ${k.name}: "${k.family}";`),
    "}",
    "",
    `export const constants: readonly number[] = ${JSON.stringify(numbers)};`,
    "",
    "export interface KernelArgs {",
    ...kernels.map((k) => `  ${k.name}: { ${k.fields.map((f) => `${f.name}: number`).join("; ")} };`),
    "}",
    "",
  ];
  writeFileSync(join(generated, "abi.ts"), abi.join("\n"));

  writeFileSync(stamp, now);
  console.log(rows.join("\n"));
}

function buildPackage(): void {
  rmSync(join(root, "dist"), { recursive: true, force: true });
  const tsc = spawnSync(
    process.execPath,
    [join(root, "node_modules/typescript/bin/tsc"), "-p", "tsconfig.build.json"],
    {
      cwd: root,
      stdio: "inherit",
    },
  );
  if (tsc.status !== 0) process.exit(tsc.status ?? 1);
  // npm makes commands executable when it links them, which is before they are built here.
  chmodSync(join(root, "dist/cli/main.js"), 0o755);
}

/** dist/browser: the library in a few files, none with a bare import, for a page that has no bundler. */
async function buildForPages(): Promise<void> {
  const { build } = await import("rolldown");
  await build({
    cwd: root,
    input: {
      unrolled: "dist/index.js",
      inference: "dist/inference.js",
      worker: "dist/worker/index.js",
      // Started by the worker's client, by this name.
      entry: "dist/worker/entry.js",
    },
    platform: "browser",
    logLevel: "warn",
    output: { dir: "dist/browser", minify: true, chunkFileNames: "[name]-[hash].js" },
  });
}

await buildKernels();
if (!process.argv.includes("--kernels")) {
  buildPackage();
  await buildForPages();
}
