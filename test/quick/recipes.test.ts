import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readRecipe } from "../../src/cli/recipes.ts";
import { checkAlignmentOptions } from "../../src/tasks/alignment/options.ts";
import { checkCaptioningOptions } from "../../src/tasks/captioning/options.ts";
import { checkTrainingOptions } from "../../src/tasks/language-model/options.ts";
import { checkMemoryOptions, type MemoryOptions } from "../../src/tasks/memory/options.ts";
import { checkNgramOptions } from "../../src/tasks/ngram-model/options.ts";
import { checkSpeechOptions } from "../../src/tasks/speech/options.ts";
import { checkTranslationOptions } from "../../src/tasks/translation/options.ts";

const root = join(import.meta.dirname, "../..");
const checks: Record<string, (options: object) => unknown> = {
  "language-model": (options) => checkTrainingOptions("recipe", options),
  ngram: (options) => checkNgramOptions("recipe", options),
  speech: (options) => checkSpeechOptions(options),
  translation: (options) => checkTranslationOptions(options),
  alignment: (options) => checkAlignmentOptions(options),
  captioning: (options) => checkCaptioningOptions(options),
  memory: (options) => checkMemoryOptions(options as MemoryOptions),
};

describe.each(readdirSync(join(root, "recipes")))("%s", (task) => {
  it.each(readdirSync(join(root, "recipes", task)))("%s can be run, and says how", (name) => {
    const { options, data } = readRecipe(task, name);
    const reads = data ? " --data DIR" : "";
    expect(() => checks[task]!(options)).not.toThrow();
    expect(Object.values(data ?? {}).filter((path) => path!.startsWith("/") || path!.includes(".."))).toEqual(
      [],
    );
    const readme = join(root, "recipes", task, name, "README.md");
    expect(readFileSync(join(root, "docs/recipes.md"), "utf8")).toContain(
      `../recipes/${task}/${name}/README.md`,
    );
    expect(existsSync(readme)).toBe(true);
    expect(readFileSync(readme, "utf8")).toContain(
      `npx unrolled train ${task} --recipe ${name}${reads} --out`,
    );
  });
});
