import type { Command, Option } from "commander";
import type { AlignmentEvent, AlignmentOptions } from "../../tasks/alignment/options.ts";
import { Interrupted } from "../failure.ts";
import { addFlags, jsonFlag, numberFlag, threadsFlag } from "../flags.ts";
import { planImages, type TrainingImageFlags, trainingImageFlags } from "../image-flags.ts";
import { interruptible } from "../interrupt.ts";
import { examples } from "../ui/examples.ts";
import { duration, percent } from "../ui/format.ts";
import { ProgressBar } from "../ui/progress.ts";

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
  ],
  "Network and training:": [
    numberFlag("--embedding-size <n>", "width of the words' vectors (default: 256)"),
    numberFlag("--hidden-size <n>", "of the space that regions and words share (default: 256)"),
    numberFlag("--dropout <p>", "of features, words and what is read (default: 0.2)"),
    numberFlag("--batch-tokens <n>", "the most words of a batch (default: 1000)"),
    numberFlag("--epochs <n>", "passes over the captions (default: 10)"),
    numberFlag("--max-steps <n>", "the most updates (default: as many as the epochs have)"),
    numberFlag("--learning-rate <x>", "of Adam (default: 0.001)"),
    numberFlag("--clip <x>", "the norm that gradients are scaled down to (default: 5)"),
    numberFlag("--seed <n>", "of all random numbers (default: 1)"),
    threadsFlag(),
  ],
};

export function define(command: Command): void {
  command
    .description(
      "Trains a network that aligns words with regions of images, by no more than which caption belongs to which image " +
        "(Karpathy & Fei-Fei 2015). The folder then holds the best weights by how well images and captions find each other.",
    )
    .requiredOption("--out <dir>", "the folder for the model")
    .addOption(jsonFlag("one event a line as JSON: corpus, step, validation, done"));
  addFlags(command, flags);
  command.action(train);
  examples(command, [
    [
      "from a grid of features",
      "unrolled train alignment --captions tokens.txt --features grid.safetensors --out models/align",
    ],
  ]);
}

async function train({ json, ...flags }: Flags): Promise<void> {
  const { out } = flags;
  const { source, options } = planImages("alignment", flags);
  const { ImageAligner } = await import("../../tasks/alignment/task.ts");
  const bar = json ? undefined : new ProgressBar();
  const signal = interruptible((line) => (bar ? bar.note(line) : process.stderr.write(`${line}\n`)));
  let done: Extract<AlignmentEvent, { type: "done" }> | undefined;
  await ImageAligner.train(source, {
    ...(options as AlignmentOptions),
    signal,
    onProgress(event) {
      if (event.type === "done") done = event;
      if (bar) show(event, bar);
      else process.stdout.write(`${JSON.stringify(event)}\n`);
    },
  }).finally(() => bar?.end());
  if (signal.aborted) throw new Interrupted(`stopped; ${out} holds the best model so far`, signal);
  if (json) return;
  const { step, seconds } = done!;
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
  } else if (event.type === "step") {
    const { progress: fraction, epoch, epochs, loss, secondsLeft } = event;
    bar.update({ fraction, stage: `epoch ${epoch}/${epochs}`, loss, secondsLeft });
  } else if (event.type === "validation") {
    const { epoch, imageFromSentence, sentenceFromImage, best } = event;
    const [there, back] = [imageFromSentence.recallAt10, sentenceFromImage.recallAt10].map(percent);
    const better = best ? "" : " (no better)";
    bar.note(`epoch ${epoch}: R@10 of images ${there}, of sentences ${back}${better}`);
  }
}
