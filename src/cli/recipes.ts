import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Option } from "commander";
import * as v from "valibot";
import { FileError, OptionError } from "../errors.ts";
import { checkContent, didYouMean, recordOf, recordWith, text } from "../options.ts";

const folder = fileURLToPath(new URL("../../recipes", import.meta.url));

const schema = recordOf({
  /** Files under the folder of data sets, if it reads any. */
  data: v.optional(
    recordOf({
      text: v.optional(text()),
      /** A manifest, or a folder of recordings. */
      manifest: v.optional(text()),
      valid: v.optional(text()),
      /** Sentences and their translations. */
      source: v.optional(text()),
      target: v.optional(text()),
      validSource: v.optional(text()),
      validTarget: v.optional(text()),
      test: v.optional(text()),
      /** What people say of images, and features or pixels of these. */
      captions: v.optional(text()),
      pooled: v.optional(text()),
      grid: v.optional(text()),
      pixels: v.optional(text()),
      names: v.optional(text()),
      split: v.optional(text()),
      validSplit: v.optional(text()),
    }),
  ),
  /** What the task's `train` is told; it checks them itself. */
  options: recordWith({}),
});

type Recipe = v.InferOutput<typeof schema>;
export type RecipeData = NonNullable<Recipe["data"]>;

function recipeNames(task: string): string[] {
  return readdirSync(join(folder, task)).sort();
}

/** Where the data sets of recipes are. */
export const dataFlag = () =>
  new Option("--data <dir>", "the folder of data sets that recipes read (default: $UNROLLED_DATA)");

/** Which recipes there are for a task. */
export function recipeFlag(task: string): Option {
  return new Option(
    "--recipe <name>",
    `start from the settings of a recipe: ${recipeNames(task).join(", ")}`,
  );
}

/** A recipe that is shipped with the package. */
export function readRecipe(task: string, name: string): Recipe {
  const names = recipeNames(task);
  if (!names.includes(name)) {
    throw new OptionError(`--recipe ${name} is not known${didYouMean(name, names)}`);
  }
  const path = join(folder, task, name, "config.json");
  return checkContent(path, schema, JSON.parse(readFileSync(path, "utf8")));
}

/** The paths of a recipe's files in the folder of data sets. */
export function recipeData(
  task: string,
  name: string,
  data: RecipeData,
  root: string | undefined,
): RecipeData {
  if (!root) {
    const [first, instead] = data.text
      ? [data.text, "the text itself by --text FILE"]
      : data.manifest
        ? [data.manifest, "recordings by --manifest PATH"]
        : data.captions
          ? [data.captions, "captions by --captions FILE"]
          : [data.source, "sentences by --source FILE and --target FILE"];
    throw new OptionError(`recipe ${name}: reads ${first} from a folder of data sets, and none is named`, {
      hint: `name it by --data DIR or UNROLLED_DATA=DIR, or give ${instead}`,
    });
  }
  const paths = Object.entries(data).map(([part, file]) => [part, join(root, file!)] as const);
  const missing = paths.find(([, path]) => !existsSync(path));
  if (missing) {
    throw new FileError(`recipe ${name}: reads ${missing[1]}, and there is no such file`, {
      hint: `where its data come from, recipes/${task}/${name}/README.md in the repository says`,
    });
  }
  return Object.fromEntries(paths) as RecipeData;
}
