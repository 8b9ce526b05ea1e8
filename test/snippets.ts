/**
 * The programs and command lines of the READMEs and the guides, to be compiled and run as they stand there, each in a
 * folder of its own that has two small texts, `book.txt` and `other.txt`. What a reader need not see stands in comments
 * of the page:
 *
 *     <!-- given models/book -->    above a block: the folder has a trained model, too
 *     <!-- before                   above it, after `given`: lines to put before the block
 *     -->
 *     <!-- after                    below it: lines to put after, which use what the block defines and look at what it did
 *     -->
 */
import { spawn } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const root = join(import.meta.dirname, "..");

const guides = readdirSync(join(root, "docs/guides")).map((name) => `docs/guides/${name}`);

/** The Chinese README has a part of the English one's programs. */
export const pages = ["README.md", ...guides.sort()];

export const readPage = (page: string) => readFileSync(join(root, page), "utf8");

export interface Snippet {
  name: string;
  language: "ts" | "sh";
  program: string;
  given: readonly string[];
}

const pattern =
  /(?:^<!-- given (.*) -->\n)?(?:^<!-- before\n([\s\S]*?)^-->\n)?^```(ts|sh)\n([\s\S]*?)^```$(?:\n<!-- after\n([\s\S]*?)^-->$)?/gm;

export function snippetsOf(page: string): Snippet[] {
  return Array.from(readPage(page).matchAll(pattern), ([, given, before, language, code, after], i) => ({
    name: `${page}, block ${i + 1}: ${code!.trim().split("\n").at(-1)}`,
    language: language as Snippet["language"],
    program: [before, code, after].join(""),
    given: given?.split(" ") ?? [],
  }));
}

/** `npx unrolled` is the command line of this source, npm does nothing; all else is the shell's. */
const shell = `set -euo pipefail
npx() { [ "$1" = unrolled ]; shift; "$NODE" --conditions=source "$ROOT/src/cli/main.ts" "$@"; }
npm() { :; }
`;

const sentences =
  "The ship was white. The whale was white, and the sea was grey.\nCall me Ishmael, said he.\n";
export const book = sentences.repeat(36);

/** A folder where `unrolled` can be imported, from its source, with a folder in it for each snippet. */
export class Workplace {
  readonly folder = mkdtempSync(join(tmpdir(), "unrolled-snippets-"));

  constructor() {
    const { exports } = JSON.parse(readPage("package.json")) as {
      exports: Record<string, { types?: string }>;
    };
    const entries = Object.entries(exports).flatMap(([key, { types }]) =>
      types ? [[key, types.replace("./dist/", "./src/").replace(".d.ts", ".ts")]] : [],
    );
    const unrolled = join(this.folder, "node_modules/unrolled");
    mkdirSync(unrolled, { recursive: true });
    symlinkSync(join(root, "src"), join(unrolled, "src"));
    const manifest = { type: "module", exports: Object.fromEntries(entries) };
    writeFileSync(join(unrolled, "package.json"), JSON.stringify(manifest));
    writeFileSync(join(this.folder, "package.json"), '{ "type": "module" }');
  }

  /** Puts a snippet into a new folder, and names it. */
  place({ language, program }: Snippet): string {
    const folder = mkdtempSync(join(this.folder, "snippet-"));
    writeFileSync(join(folder, "book.txt"), book);
    writeFileSync(join(folder, "other.txt"), sentences.repeat(6));
    writeFileSync(join(folder, `program.${language}`), language === "sh" ? shell + program : program);
    return folder;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Runs a command to its end; `output` is all it wrote. */
export function run(command: string, args: string[], cwd: string): Promise<{ code: number; output: string }> {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const child = spawn(command, args, { cwd, env: { ...env, NODE: process.execPath, ROOT: root } });
  child.stdin.end();
  return new Promise((resolve, reject) => {
    let output = "";
    const hear = (text: Buffer) => {
      output += text;
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? -1, output }));
  });
}
