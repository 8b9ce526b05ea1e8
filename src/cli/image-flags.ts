import { Option } from "commander";
import { OptionError } from "../errors.ts";
import type { CaptioningSource } from "../tasks/captioning/options.ts";
import { repeatedFlag } from "./flags.ts";
import { type RecipeData, readRecipe, recipeData } from "./recipes.ts";

/** The flags that name images and what people say of them. */
export interface ImageFlags {
  captions?: string[] | undefined;
  images?: string | undefined;
  encoder?: string | undefined;
  cache?: string | undefined;
  features?: string[] | undefined;
  names?: string | undefined;
  split?: string | undefined;
}

/** Those of a training, which also says what to validate on and may be that of a recipe. */
export interface TrainingImageFlags extends ImageFlags {
  validSplit?: string | undefined;
  recipe?: string;
  data?: string;
}

export const encoderFlag = () =>
  new Option("--encoder <file>", "a CNN as ONNX that makes features of the images; needs onnxruntime-node");

export const imageFlags = (): Option[] => [
  repeatedFlag(
    "--captions <file>",
    "Flickr8k's token file, COCO's annotations or Karpathy's JSON; several are one after the other",
  ),
  new Option("--images <dir>", "the folder of the images; needs the package sharp"),
  encoderFlag(),
  new Option("--cache <dir>", "where the features that --encoder makes are kept, to be found again"),
  repeatedFlag(
    "--features <file>",
    "instead: safetensors with `pooled`, `grid` or `pixels` of all images; may be given again",
  ),
  new Option(
    "--names <file>",
    "of --features: the images' names, one a line (default: images.txt beside it)",
  ),
];

export const trainingImageFlags = (): Option[] => [
  ...imageFlags(),
  new Option("--split <file>", "names of the images to learn from (default: as the captions say, or all)"),
  new Option("--valid-split <file>", "names of the images to validate on (default: as the captions say)"),
];

/** A recipe's files as the flags that name them. */
function flagsOf({
  captions,
  pooled,
  grid,
  pixels,
  names,
  split,
  validSplit,
}: RecipeData): TrainingImageFlags {
  const features = [pooled, grid, pixels].filter((file) => file !== undefined);
  return {
    ...(captions !== undefined && { captions: [captions] }),
    ...(features.length > 0 && { features }),
    ...{ names, split, validSplit },
  };
}

/** What the flags of a training come to: images to learn from and to validate on, and a recipe's options. */
export function planImages<F extends TrainingImageFlags>(
  task: string,
  { recipe, data, captions, images, encoder, cache, features, names, split, validSplit, ...given }: F,
) {
  const plan = recipe === undefined ? undefined : readRecipe(task, recipe);
  const own = { captions, images, encoder, cache, features, names, split, validSplit };
  const files: TrainingImageFlags =
    plan?.data && !captions
      ? {
          ...flagsOf(recipeData(task, recipe!, plan.data, data ?? process.env.UNROLLED_DATA)),
          ...Object.fromEntries(Object.entries(own).filter(([, given]) => given !== undefined)),
        }
      : own;
  const { validSplit: valid, ...part } = files;
  const source = sourceOf(part, "or name a --recipe");
  return {
    source,
    options: {
      ...plan?.options,
      ...given,
      ...(valid !== undefined && { valid: { ...source, split: valid } }),
    },
  };
}

/** Images and captions, which must be named. */
export function sourceOf({ captions, ...images }: ImageFlags, hint: string): CaptioningSource {
  if (!captions) throw new OptionError("--captions FILE must name what people say of the images", { hint });
  if (!images.images && !images.features) {
    throw new OptionError("--images DIR or --features FILE must name the images of the captions", { hint });
  }
  return { captions, ...images };
}
