/**
 * Writes the API reference, from the declarations that TypeScript makes of the source: a page for each part of the
 * library, on it every export with its docstring and its declaration.
 *
 *   node scripts/reference.ts [folder]      docs/reference, if no other is named
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

interface Declaration {
  name: string;
  doc: string;
  code: string;
  file: string;
}

interface Module {
  declarations: Map<string, Declaration>;
  /** What a name in this file is called where it comes from; "*" for all that is there. */
  imports: Map<string, { name: string; file: string }>;
  /** What it passes on from other files. */
  exports: { name: string; as: string; file: string }[];
}

/** One statement at the margin, with the comment above it. The compiler indents all that is within. */
const statement =
  /^(?:\/\*\*([\s\S]*?)\*\/\n)?((?:export|import|declare|type|interface)\b[\s\S]*?[;}])$(?!\n[ }])/gm;

class Declarations {
  readonly #modules = new Map<string, Module>();

  module(file: string): Module {
    let module = this.#modules.get(file);
    if (!module) {
      module = readModule(file);
      this.#modules.set(file, module);
    }
    return module;
  }

  /** Every export of a file, in its order. */
  exportsOf(file: string): Declaration[] {
    return this.module(file).exports.flatMap(({ name, as, file: from }) => {
      if (name !== "*") return [{ ...this.#find(name, from), name: as }];
      const all = this.exportsOf(from);
      return as === "*" ? all : all.map((d) => ({ ...d, name: `${as}.${d.name}` }));
    });
  }

  #find(name: string, file: string): Declaration {
    const module = this.module(file);
    const found = module.declarations.get(name);
    if (found) return found;
    const elsewhere = module.exports.find(({ as }) => as === name) ?? module.imports.get(name);
    if (!elsewhere) throw new Error(`${file}: has no ${name}`);
    return this.#find(elsewhere.name, elsewhere.file);
  }

  /** What a class or an interface extends, if it is ours. */
  baseOf({ code, file }: Declaration): Declaration | undefined {
    const name = code.match(
      /^export (?:declare )?(?:abstract )?(?:class|interface) .* extends (?:Omit<)?(\w+)/,
    )?.[1];
    if (!name) return undefined;
    const module = this.module(file);
    return module.declarations.has(name) || module.imports.has(name) ? this.#find(name, file) : undefined;
  }
}

function readModule(file: string): Module {
  const module: Module = { declarations: new Map(), imports: new Map(), exports: [] };
  const source = readFileSync(file, "utf8");
  for (const [, comment = "", code] of source.matchAll(statement)) {
    const from = code!.match(/ from "(\.[^"]+)\.[jt]s";$/)?.[1];
    const other = from && join(dirname(file), `${from}.d.ts`);
    if (/^(import|export) (type )?[{*]/.test(code!)) {
      const names = code!.match(/\{([\s\S]*)\}/)?.[1]?.split(",") ?? [code!.match(/\*( as \w+)?/)![0]];
      for (const part of names.map((text) => text.trim().replace(/^type /, "")).filter(Boolean)) {
        const [name, as = name] = part.split(" as ") as [string, string?];
        if (code!.startsWith("export")) module.exports.push({ name, as, file: other ?? file });
        else if (other) module.imports.set(as, { name, file: other });
      }
      continue;
    }
    const name = code!.match(
      /^(?:export )?(?:declare )?(?:abstract )?(?:class|interface|type|const|function) (\w+)/,
    )?.[1];
    if (!name) continue;
    const before = module.declarations.get(name);
    const doc = before?.doc || unindent(comment);
    const whole = [...(before ? [before.code] : []), publicPart(code!)].join("\n");
    module.declarations.set(name, { name, doc, code: whole, file });
    if (code!.startsWith("export") && !before) module.exports.push({ name, as: name, file });
  }
  return module;
}

/** The text of a docstring; indented examples stay indented, which is code in Markdown. */
function unindent(comment: string): string {
  return comment
    .split("\n")
    .map((line) => line.replace(/^ *\* ?/, "").trimEnd())
    .join("\n")
    .trim();
}

/** A declaration without what is private or @internal. */
function publicPart(code: string): string {
  const member = /(?: {4}\/\*\*[\s\S]*?\*\/\n)? {4}\S[\s\S]*?;\n(?! {5}| {4}\})/g;
  return code.replace(member, (text) => (/@internal|^ {4}(private|#private)\b/m.test(text) ? "" : text));
}

const fence = (code: string) =>
  `\`\`\`ts\n${code.replace(/^export (declare )?/gm, "").replaceAll("    ", "  ")}\n\`\`\``;

function render(declarations: Declarations, title: string, intro: string, all: Declaration[]): string {
  const documented = new Set(all.map(({ code }) => code));
  const parts = all.map((declaration) => {
    const lines = [`## ${declaration.name}`, declaration.doc, fence(declaration.code)];
    let base = declarations.baseOf(declaration);
    for (; base && !documented.has(base.code); base = declarations.baseOf(base)) {
      lines.push(`It has also, from ${base.name}:`, fence(base.code));
    }
    return lines.filter(Boolean).join("\n\n");
  });
  return `${[`# ${title}`, intro, ...parts].join("\n\n")}\n`;
}

/** The parts of the library, by folder of src. */
const parts: Record<string, string> = {
  tasks: "A whole job: data, model, training, evaluation, files.",
  training: "The trainer, and what it tells.",
  nn: "Modules and layers.",
  ops: "What tensors are computed with.",
  optim: "Optimizers, schedules, clipping.",
  autograd: "Steps, and what they record.",
  tensor: "Tensors and random numbers.",
  engine: "Getting ready, and threads.",
  data: "Tokenizers and batches.",
  ngram: "n-grams as tries, to be asked word by word.",
  decoding: "Choosing the next token.",
  metrics: "Measures of a language model, and mixtures of several.",
  io: "Weights and model folders.",
  errors: "Everything the library throws on purpose.",
};

function writeReference(folder: string): void {
  const types = mkdtempSync(join(tmpdir(), "unrolled-types-"));
  try {
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    const args = [tsc, "-p", "tsconfig.build.json", "--emitDeclarationOnly", "--outDir", types];
    if (spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" }).status !== 0) process.exit(1);
    const declarations = new Declarations();
    const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
      exports: Record<string, { types?: string }>;
    };
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const index = ["# API reference", "Written by `npm run docs` from the source's own comments."];
    const list: string[] = [];
    const page = (file: string, title: string, intro: string, all: Declaration[]) => {
      writeFileSync(join(folder, file), render(declarations, title, intro, all));
      list.push(`- [${title}](${file}): ${all.map(({ name }) => name).join(", ")}`);
    };
    for (const [key, { types: entry }] of Object.entries(manifest.exports)) {
      if (!entry) continue;
      const file = join(types, entry.replace("./dist/", ""));
      const all = declarations.exportsOf(file);
      if (key !== ".") {
        page(
          `${key.slice(2)}.md`,
          `unrolled${key.slice(1)}`,
          `\`import { … } from "unrolled${key.slice(1)}"\``,
          all,
        );
        continue;
      }
      const source = declarations.module(file).exports.map(({ file: from }) => from);
      for (const [part, intro] of Object.entries(parts)) {
        const entries = source.filter((from) => from.startsWith(join(types, part)));
        if (entries.length === 0) throw new Error(`nothing comes from ${part}`);
        page(
          `${part}.md`,
          part,
          intro,
          entries.flatMap((from) => declarations.exportsOf(from)),
        );
      }
      const left = source.filter(
        (from) => !Object.keys(parts).some((part) => from.startsWith(join(types, part))),
      );
      if (left.length > 0) throw new Error(`no page for ${left.join(", ")}`);
    }
    writeFileSync(join(folder, "README.md"), `${[...index, list.join("\n")].join("\n\n")}\n`);
  } finally {
    rmSync(types, { recursive: true, force: true });
  }
}

writeReference(process.argv[2] ?? join(root, "docs/reference"));
