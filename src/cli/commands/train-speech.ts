import { type Command, Option } from "commander";
import { OptionError } from "../../errors.ts";
import type { SpeechEvent } from "../../tasks/speech/events.ts";
import type { SpeechOptions } from "../../tasks/speech/options.ts";
import {
  addFlags,
  checkpointFlags,
  jsonFlag,
  lengthFlag,
  logFlags,
  numberFlag,
  numbersFlag,
  rateFlags,
  runFlags,
} from "../flags.ts";
import { followTraining } from "../follow-training.ts";
import { dataFlag, readRecipe, recipeData, recipeFlag } from "../recipes.ts";
import { examples } from "../ui/examples.ts";
import { duration, percent } from "../ui/format.ts";
import type { ProgressBar } from "../ui/progress.ts";

interface Flags extends Omit<SpeechOptions, "valid" | "join" | "onProgress" | "signal"> {
  manifest?: string;
  valid?: string;
  join?: number | readonly [number, number];
  out: string;
  recipe?: string;
  data?: string;
  json?: true;
}

/** The options of `SpeechRecognizer.train`, as flags: the library knows their ranges and defaults, this their help. */
const flags: Record<string, Option[]> = {
  "Recordings:": [
    new Option(
      "--manifest <path>",
      'a manifest: *.jsonl, {"audio": "a.wav", "text": "…"} in each line, perhaps with "speaker" and "id"; *.tsv, whose ' +
        "first line names such columns; a folder of recordings a.wav with texts a.txt; or the folder of a data set " +
        "(LibriSpeech, Common Voice, FSDD, AN4 and others of Sphinx, yesno)",
    ),
    new Option("--valid <path>", "what to validate on (default: what the data set says, else a part)"),
    numberFlag(
      "--valid-fraction <x>",
      "that part of the utterances; 0 for none: what would be held out of a data set's training part is learnt from (default: 0.1)",
    ),
    lengthFlag(
      "--join <n>",
      "learn from strings of so many utterances of a speaker, 3-7 (default: as they are)",
    ),
    new Option("--skip-bad", "leave out utterances that cannot be used, and say so (default: stop)"),
    new Option(
      "--init-from <dir>",
      "begin with this model: its weights, front end, labels and network (default: begin anew)",
    ),
    new Option("--unit <unit>", "what a label is, char or word (default: char)"),
    new Option("--lowercase", "transcripts in lower case"),
    recipeFlag("speech"),
    dataFlag(),
  ],
  "Front end:": [
    new Option(
      "--features <kind>",
      "mel, mfcc, htk, sphinx or spectrogram (default: mel, of files *.mfc sphinx)",
    ),
    numberFlag("--sample-rate <n>", "samples a second (default: as the first recording, of *.mfc 16000)"),
    numberFlag("--filters <n>", "mel filters (default: 40, of mfcc 23, of htk 26)"),
    numberFlag("--coefficients <n>", "cepstral coefficients (default: 13)"),
    numberFlag("--low <hz>", "where the filters begin (default: as the convention has it)"),
    numberFlag("--high <hz>", "where they end (default: as the convention has it)"),
    numberFlag("--deltas <n>", "how often to append the vectors' derivatives (default: 0)"),
    new Option(
      "--normalize <how>",
      "vectors over all: global; each speaker, utterance; or none (default: global)",
    ),
    numberFlag("--stack <n>", "vectors read at a step (default: 2, of a convolution 5)"),
    numberFlag("--stride <n>", "vectors from step to step (default: as --stack, of a convolution 2)"),
    numbersFlag(
      "--speeds <list>",
      "how fast recordings are played, each at one of these: 0.9,1,1.1 (default: 1)",
    ),
    numberFlag("--frequency-masks <n>", "SpecAugment: bands set to 0 (default: 0)"),
    numberFlag("--frequency-width <n>", "the most filters in one (default: 8)"),
    numberFlag("--time-masks <n>", "SpecAugment: stretches of time set to 0 (default: 0)"),
    numberFlag("--time-width <n>", "the most vectors in one (default: 20)"),
  ],
  "Network:": [
    numberFlag("--convolution <n>", "channels of a convolution over each step's vectors (default: none)"),
    numberFlag("--hidden-size <n>", "units of a level, in each direction (default: 128)"),
    numberFlag("--num-layers <n>", "levels (default: 3)"),
    new Option("--no-bidirectional", "read forward only (default: in both directions)"),
    new Option("--layer-norm", "layer normalisation after each level"),
    numberFlag("--dropout <p>", "after each level (default: 0)"),
  ],
  "Training:": [
    new Option(
      "--loss <name>",
      "ctc; or expected: the errors to be expected of paths that are drawn, for a model of ctc (default: ctc)",
    ),
    numberFlag("--samples <n>", "of expected: paths drawn of each utterance (default: 5)"),
    new Option("--expected-of <rate>", "of expected: errors of words, wer, or of labels, cer (default: wer)"),
    numberFlag("--batch-size <n>", "utterances to a batch (default: 16)"),
    numberFlag("--epochs <n>", "passes over the utterances (default: 50)"),
    numberFlag("--max-steps <n>", "the most updates (default: as many as the epochs have)"),
    new Option("--optimizer <name>", "sgd, rmsprop, adam or adamw (default: adam)"),
    numberFlag("--learning-rate <x>", "size of an update (default: 0.01 for sgd, 0.001 for the others)"),
    ...rateFlags("constant"),
    numberFlag("--accumulate <n>", "batches to one update (default: 1)"),
    new Option(
      "--measure <what>",
      "by what the best weights are told: cer, wer or loss (default: cer, or --expected-of)",
    ),
    ...runFlags(),
  ],
  "Checkpoints:": checkpointFlags(),
  "Log:": logFlags(),
};

export function define(command: Command): void {
  command
    .description(
      "Trains a recogniser of speech on recordings and their texts, from end to end: deep bidirectional LSTMs and " +
        "connectionist temporal classification. The folder then holds the best weights by validation " +
        "(model.safetensors), config.json, and in training/ the last state.",
    )
    .requiredOption("--out <dir>", "a new or empty folder for the model")
    .addOption(
      jsonFlag(
        "one event a line as JSON: features, skipped, resume, corpus, step, validation, checkpoint, done",
      ),
    );
  addFlags(command, flags);
  command.action(train);
  examples(command, [
    [
      "on recordings of your own",
      "unrolled train speech --manifest train.jsonl --valid valid.jsonl --out models/mine",
    ],
    [
      "words as labels, for a few words said one by one or in strings",
      "unrolled train speech --manifest commands.tsv --unit word --out models/commands",
    ],
    [
      "forward only, at other speeds too",
      "unrolled train speech --manifest train.jsonl --no-bidirectional --speeds 0.9,1,1.1 --out models/forward",
    ],
    [
      "further, by the errors that are to be expected",
      "unrolled train speech --manifest train.jsonl --init-from models/mine --loss expected --out models/better",
    ],
    ["a recipe", "unrolled train speech --recipe connected-digits --data data --out models/digits"],
  ]);
}

/** What the flags come to: the recordings, and the options of `SpeechRecognizer.train`, a recipe's among them. */
function planTraining({ manifest, valid, recipe, data, join, ...given }: Omit<Flags, "json">) {
  const plan = recipe === undefined ? undefined : readRecipe("speech", recipe);
  const files =
    plan?.data && manifest === undefined
      ? recipeData("speech", recipe!, plan.data, data ?? process.env.UNROLLED_DATA)
      : {};
  const source = manifest ?? files.manifest;
  if (source === undefined) {
    throw new OptionError("--manifest PATH must name recordings to learn from", {
      hint: "or name a --recipe",
    });
  }
  const options: SpeechOptions & { out: string } = {
    ...(plan?.options as SpeechOptions | undefined),
    ...given,
    ...(join !== undefined && { join: typeof join === "number" ? [join, join] : join }),
    ...(valid !== undefined && { valid }),
  };
  return { source, options };
}

async function train({ json, ...flags }: Flags): Promise<void> {
  const { source, options } = planTraining(flags);
  const { out } = options;
  const { SpeechRecognizer } = await import("../../tasks/speech/task.ts");
  const done = await followTraining<SpeechEvent>(
    (hooks) => SpeechRecognizer.train(source, { ...options, ...hooks }),
    { json, out, reading: "the recordings were read", show },
  );
  if (!done) return;
  const { step, seconds } = done;
  process.stdout.write(
    `${out} holds the best weights; ${step} updates in ${duration(seconds)}\n\nnext:\n` +
      `  npx unrolled transcribe ${out} a.wav\n` +
      `  npx unrolled evaluate ${out} --manifest ${source}\n`,
  );
}

function show(event: SpeechEvent, bar: ProgressBar): void {
  switch (event.type) {
    case "features":
      bar.update({ fraction: event.utterances / event.of, stage: "reading recordings" });
      break;
    case "skipped":
      bar.note(`skipped: ${event.problem}`);
      break;
    case "corpus": {
      const { utterances, seconds, heldOut, heldOutSeconds, classes } = event;
      const held = heldOut > 0 ? `, ${heldOut} to validate on (${duration(heldOutSeconds)})` : "";
      bar.note(`${utterances} utterances (${duration(seconds)})${held}; ${classes - 1} labels`);
      break;
    }
    case "validation": {
      const { epoch, wer, cer, ctcLoss, best } = event;
      const better = best ? "" : " (no better)";
      bar.note(
        `epoch ${epoch}: WER ${percent(wer)}, CER ${percent(cer)}, loss ${ctcLoss.toFixed(4)}${better}`,
      );
    }
  }
}
