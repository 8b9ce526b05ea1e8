/** What the READMEs and the guides show compiles, and their links lead somewhere. */
import { existsSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { pages, readPage, root, run, snippetsOf, Workplace } from "../snippets.ts";

const workplace = new Workplace();
afterAll(() => workplace.remove());

it("every block of a program is found", () => {
  const fences = pages.flatMap((page) => readPage(page).match(/^ *```(ts|tsx|js|sh|bash)\b/gm) ?? []);
  expect(pages.flatMap(snippetsOf)).toHaveLength(fences.length);
});

it("both READMEs show the same programs", () => {
  const programs = (page: string) =>
    snippetsOf(page).flatMap(({ language, program }) => (language === "ts" ? [program] : []));
  const english = programs("README.md");
  const chinese = programs("README.zh-CN.md");
  expect(chinese.filter((program) => !english.some((e) => e.startsWith(program)))).toEqual([]);
  expect(chinese.length).toBeGreaterThan(0);
});

it("links lead somewhere", () => {
  const broken = [...pages, "README.zh-CN.md"].flatMap((page) =>
    Array.from(readPage(page).matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g), ([, to]) => to!)
      .filter((to) => !existsSync(join(root, dirname(page), to)))
      .map((to) => `${page}: ${to}`),
  );
  expect(broken).toEqual([]);
});

it("programs compile", async () => {
  for (const snippet of pages.flatMap(snippetsOf)) workplace.place(snippet);
  const compilerOptions = {
    typeRoots: [join(root, "node_modules/@types")],
    noUnusedLocals: false,
  };
  const config = { extends: join(root, "tsconfig.json"), compilerOptions, include: ["./*/program.ts"] };
  writeFileSync(join(workplace.folder, "tsconfig.json"), JSON.stringify(config));
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  expect(await run(process.execPath, [tsc, "-p", workplace.folder], workplace.folder)).toEqual({
    code: 0,
    output: "",
  });
}, 120_000);
