import { type Command, Option } from "commander";
import type { CaptioningEvent } from "../../tasks/captioning/events.ts";
import type { CaptioningOptions } from "../../tasks/captioning/options.ts";
import {
  addFlags,
  checkpointFlags,
  jsonFlag,
  logFlags,
  numberFlag,
  rateFlags,
  runFlags,
  wholeNumbersFlag,
} from "../flags.ts";
import { followTraining } from "../follow-training.ts";
import { planImages, type TrainingImageFlags, trainingImageFlags } from "../image-flags.ts";
import { dataFlag, recipeFlag } from "../recipes.ts";
import { examples } from "../ui/examples.ts";
import { duration, percent } from "../ui/format.ts";
import type { ProgressBar } from "../ui/progress.ts";

interface Flags extends Omit<CaptioningOptions, "valid" | "onProgress" | "signal">, TrainingImageFlags {
  out: string;
  json?: true;
}

/** The options of `ImageCaptioner.train`, as flags: the library knows their ranges and defaults, this their help. */
const flags: Record<string, Option[]> = {
  "Images and captions:": [
    ...trainingImageFlags(),
    numberFlag("--valid-fraction <x>", "the part held out without these; 0 for none (default: 0.05)"),
    numberFlag("--min-count <n>", "rarer words are unknown, and never said (default: 5)"),
    numberFlag("--max-length <n>", "the most words of a caption; longer ones are left out (default: 40)"),
    recipeFlag("captioning"),
    dataFlag(),
  ],
  "Network:": [
    new Option("--decoder <kind>", "rnn, lstm or attention (default: lstm)"),
    new Option("--attention <score>", "of --decoder attention: dot, general or additive (default: additive)"),
    numberFlag("--image-size <n>", "of --images without --encoder: height and width (default: 48)"),
    wholeNumbersFlag("--channels <n,n,…>", "of pixels: a convolution each (default: 16,32,64,64)"),
    numberFlag("--embedding-size <n>", "width of the words' vectors (default: 256)"),
    numberFlag("--hidden-size <n>", "units of the recurrent layer (default: 256)"),
    numberFlag("--dropout <p>", "of images, words, what is looked at, before the output (default: 0.5)"),
  ],
  "Training:": [
    numberFlag("--batch-tokens <n>", "the most words of a batch (default: 1000)"),
    numberFlag("--epochs <n>", "passes over the captions (default: 10)"),
    numberFlag("--max-steps <n>", "the most updates (default: as many as the epochs have)"),
    new Option("--optimizer <name>", "sgd, adam, adamw or rmsprop (default: adam)"),
    numberFlag("--learning-rate <x>", "size of an update (default: 0.7 for sgd, 0.001 for the others)"),
    ...rateFlags("cosine", 5),
    numberFlag("--label-smoothing <x>", "the part of a target that all words share (default: 0)"),
    new Option(
      "--measure <what>",
      "by what the best weights are told: cider, bleu, exact or loss (default: cider)",
    ),
    ...runFlags(),
  ],
  "Checkpoints:": checkpointFlags(),
  "Log:": logFlags(),
};

export function define(command: Command): void {
  command
    .description(
      "Trains a captioner on images and what people say of them: pixels and a small convolutional network, or features " +
        "of a larger one, and a recurrent network that tells. The folder then holds the best weights by validation " +
        "(model.safetensors), config.json, tokenizer.json, and in training/ the last state.",
    )
    .requiredOption("--out <dir>", "a new or empty folder for the model")
    .addOption(
      jsonFlag("one event a line as JSON: resume, images, corpus, step, validation, checkpoint, done"),
    );
  addFlags(command, flags);
  command.action(train);
  examples(command, [
    [
      "from features that are there already",
      "unrolled train captioning --captions tokens.txt --features cnn.safetensors --out models/lstm",
    ],
    [
      "from photos, through a CNN as ONNX",
      "unrolled train captioning --captions captions.json --images photos --encoder cnn.onnx --out models/photos",
    ],
    ["a recipe", "unrolled train captioning --recipe shapes --data data --out models/shapes"],
  ]);
}

async function train({ json, ...flags }: Flags): Promise<void> {
  const { out } = flags;
  const { source, options } = planImages("captioning", flags);
  const { ImageCaptioner } = await import("../../tasks/captioning/task.ts");
  const done = await followTraining<CaptioningEvent>(
    (hooks) => ImageCaptioner.train(source, { ...(options as CaptioningOptions), ...hooks }),
    { json, out, reading: "the images were read", show },
  );
  if (!done) return;
  const { step, seconds } = done;
  process.stdout.write(
    `${out} holds the best weights; ${step} updates in ${duration(seconds)}\n\nnext:\n` +
      `  npx unrolled caption ${out} IMAGE --beam 5\n` +
      `  npx unrolled evaluate ${out} --captions FILE … --beam 5\n`,
  );
}

function show(event: CaptioningEvent, bar: ProgressBar): void {
  switch (event.type) {
    case "corpus": {
      const { images, heldOut, captions, vocabulary, empty, long, notes } = event;
      const held = heldOut > 0 ? `, ${heldOut} to validate on` : "";
      bar.note(`${images} images with ${captions} captions${held}; ${vocabulary} words`);
      if (empty > 0) bar.note(`left out: ${empty} captions without a word`);
      if (long > 0) bar.note(`left out: ${long} captions longer than --max-length`);
      for (const line of notes) bar.note(`left out: ${line}`);
      break;
    }
    case "images":
      bar.update({ fraction: event.images / event.of, stage: "reading images" });
      break;
    case "validation": {
      const { epoch, perplexity, cider, bleu, exact, best } = event;
      const better = best ? "" : " (no better)";
      bar.note(
        `epoch ${epoch}: perplexity ${perplexity.toFixed(2)}, CIDEr-D ${cider.toFixed(1)}, BLEU-4 ${bleu.toFixed(2)}, exact ${percent(exact)}${better}`,
      );
    }
  }
}
