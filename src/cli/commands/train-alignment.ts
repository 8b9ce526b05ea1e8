import { type Command, Option } from "commander";
import type { AlignmentEvent, AlignmentOptions } from "../../tasks/alignment/options.ts";
import { addFlags, checkpointFlags, jsonFlag, logFlags, numberFlag, rateFlags, runFlags } from "../flags.ts";
import { followTraining } from "../follow-training.ts";
import { planImages, type TrainingImageFlags, trainingImageFlags } from "../image-flags.ts";
import { dataFlag, recipeFlag } from "../recipes.ts";
import { examples } from "../ui/examples.ts";
import { duration, percent } from "../ui/format.ts";
import type { ProgressBar } from "../ui/progress.ts";

interface Flags extends Omit<AlignmentOptions, "valid" | "onProgress" | "signal">, TrainingImageFlags {
  out: string;
  json?: true;
}

/** The options of `ImageAligner.train`, as flags: the library knows their ranges and defaults, this their help. */
const flags: Record<string, Option[]> = {
  "Images and captions:": [
    ...trainingImageFlags(),
    numberFlag("--valid-fraction <x>", "the part held out without these; 0 for none (default: 0.05)"),
    numberFlag("--min-count <n>", "rarer words are unknown (default: 5)"),
    numberFlag("--max-length <n>", "the most words of a caption; longer ones are left out (default: 40)"),
    recipeFlag("alignment"),
    dataFlag(),
  ],
  "Network:": [
    numberFlag("--embedding-size <n>", "width of the words' vectors (default: 256)"),
    numberFlag("--hidden-size <n>", "of the space that regions and words share (default: 256)"),
    numberFlag("--dropout <p>", "of features, words and what is read (default: 0.2)"),
  ],
  "Training:": [
    numberFlag("--batch-tokens <n>", "the most words of a batch (default: 1000)"),
    numberFlag("--epochs <n>", "passes over the captions (default: 10)"),
    numberFlag("--max-steps <n>", "the most updates (default: as many as the epochs have)"),
    new Option("--optimizer <name>", "sgd, adam, adamw or rmsprop (default: adam)"),
    numberFlag("--learning-rate <x>", "size of an update (default: 0.7 for sgd, 0.001 for the others)"),
    ...rateFlags("cosine", 5),
    ...runFlags(),
  ],
  "Checkpoints:": checkpointFlags(),
  "Log:": logFlags(),
};

export function define(command: Command): void {
  command
    .description(
      "Trains a network that aligns words with regions of images, by no more than which caption belongs to which image " +
        "(Karpathy & Fei-Fei 2015). The folder then holds the best weights by how well images and captions find " +
        "each other (model.safetensors), config.json, tokenizer.json, and in training/ the last state.",
    )
    .requiredOption("--out <dir>", "a new or empty folder for the model")
    .addOption(
      jsonFlag("one event a line as JSON: resume, images, corpus, step, validation, checkpoint, done"),
    );
  addFlags(command, flags);
  command.action(train);
  examples(command, [
    [
      "from a grid of features",
      "unrolled train alignment --captions tokens.txt --features grid.safetensors --out models/align",
    ],
    ["a recipe", "unrolled train alignment --recipe karpathy-2015 --data data --out models/align"],
  ]);
}

async function train({ json, ...flags }: Flags): Promise<void> {
  const { out } = flags;
  const { source, options } = planImages("alignment", flags);
  const { ImageAligner } = await import("../../tasks/alignment/task.ts");
  const done = await followTraining<AlignmentEvent>(
    (hooks) => ImageAligner.train(source, { ...(options as AlignmentOptions), ...hooks }),
    { json, out, reading: "the images were read", show },
  );
  if (!done) return;
  const { step, seconds } = done;
  process.stdout.write(
    `${out} holds the best weights; ${step} updates in ${duration(seconds)}\n\nnext:\n` +
      `  npx unrolled evaluate ${out} --captions FILE --features FILE\n`,
  );
}

function show(event: AlignmentEvent, bar: ProgressBar): void {
  if (event.type === "corpus") {
    const { images, heldOut, captions, vocabulary, notes } = event;
    bar.note(`${images} images with ${captions} captions, ${heldOut} to validate on; ${vocabulary} words`);
    for (const line of notes) bar.note(`left out: ${line}`);
  } else if (event.type === "images") {
    bar.update({ fraction: event.images / event.of, stage: "reading images" });
  } else if (event.type === "validation") {
    const { epoch, imageFromSentence, sentenceFromImage, best } = event;
    const [there, back] = [imageFromSentence.recallAt10, sentenceFromImage.recallAt10].map(percent);
    const better = best ? "" : " (no better)";
    bar.note(`epoch ${epoch}: R@10 of images ${there}, of sentences ${back}${better}`);
  }
}
