import { type Command, Option } from "commander";
import { OptionError } from "../../errors.ts";
import type { Evaluation } from "../../tasks/language-model/evaluate.ts";
import { taskOf } from "../../tasks/task-of.ts";
import { rankingFlags, tokenizeFlag } from "../beam-flags.ts";
import { decodingFlags } from "../decoding-flags.ts";
import { type CaptioningFlags, evaluateAlignment, evaluateCaptioning } from "../evaluate-captioning.ts";
import { evaluateSpeech, type SpeechFlags } from "../evaluate-speech.ts";
import { evaluateTranslation, type TranslationFlags } from "../evaluate-translation.ts";
import {
  int8Flag,
  jsonFlag,
  lengthFlag,
  numberFlag,
  repeatedFlag,
  threadsFlag,
  useThreads,
} from "../flags.ts";
import { imageFlags } from "../image-flags.ts";
import { examples } from "../ui/examples.ts";
import { percent } from "../ui/format.ts";

interface TextFlags {
  text?: string[];
  int8?: true;
  dynamic?: number;
  neuralCache?: number;
  cacheTheta?: number;
  cacheLambda?: number;
  ranks?: true;
  json?: true;
}

interface ProblemFlags {
  sequences?: number;
  length?: number | readonly [number, number];
  seed?: number;
}

/** `--split` is a part of recordings, or a file of images' names. */
type Flags = TextFlags &
  ProblemFlags &
  Omit<SpeechFlags, "split"> &
  TranslationFlags &
  CaptioningFlags & { threads?: number };

export function define(command: Command): void {
  command
    .description(
      "Measures a language model on a text: the mean of −ln P of each token given all before it, " +
        "the state carried through the whole text. A model of `train memory` is measured on fresh sequences, one of " +
        "`train speech` by its word and character error rates on recordings, one of `train translation` by BLEU, chrF and TER, one of `train captioning` by BLEU, METEOR, " +
        "ROUGE-L and CIDEr-D, one of `train alignment` by how well images and sentences find each other.",
    )
    .argument("<dir>", "the model's folder, or an n-gram model's file *.arpa")
    .addOption(
      repeatedFlag(
        "--text <file>",
        "UTF-8 text that the model was not trained on, perhaps packed; a glob or several --text are one text",
      ),
    )
    .addOption(int8Flag())
    .addOption(numberFlag("--sequences <n>", "of a problem: how many to ask about (default: 10000)"))
    .addOption(
      lengthFlag("--length <n>", "of a problem: the sequences' steps, 100 or 50-200 (default: as trained)"),
    )
    .addOption(numberFlag("--seed <n>", "of a problem: of the sequences (default: 1)"))
    .addOption(
      numberFlag("--dynamic <rate>", "go on learning while reading, by SGD at this rate (default: do not)"),
    )
    .addOption(
      numberFlag("--neural-cache <n>", "mix in what the last n tokens make likely: words of late come again"),
    )
    .addOption(
      numberFlag(
        "--cache-theta <x>",
        "how much a past state must be like that of now to count (default: 0.3)",
      ),
    )
    .addOption(numberFlag("--cache-lambda <x>", "the cache's part of the probability (default: 0.1)"))
    .option("--ranks", "find the rank of each token among all by its line, too: the mean of 1 / rank")
    .addOption(threadsFlag())
    .addOption(
      jsonFlag(
        'one JSON object: {"task","tokens","loss","perplexity","bitsPerToken"}, {"task","sequences","loss","wrong"} or ' +
          '{"task","utterances","wer","cer",…}, these with "rate","hits","substitutions","deletions","insertions", ' +
          '{"task","sentences","bleu","chrf","ter","exact",…}, these with "score","signature", ' +
          '{"task","images","bleu","meteor","rougeL","cider","exact",…}, in per cent, "bleu" of four; or ' +
          '{"task","images","sentences","imageFromSentence","sentenceFromImage"}',
      ),
    );
  for (const option of speechFlags()) command.addOption(option.helpGroup("Speech:"));
  for (const option of translationFlags()) command.addOption(option.helpGroup("Translation:"));
  for (const option of imageFlags()) command.addOption(option.helpGroup("Images and captions:"));
  command.action(evaluate);
  examples(command, [
    ["how well does it know another book?", "unrolled evaluate models/book --text other.txt"],
    ["the perplexity alone", "unrolled evaluate models/book --text other.txt --json | jq .perplexity"],
    ["how many words does it mishear?", "unrolled evaluate models/digits --manifest test.jsonl"],
    [
      "which weight should the language model have?",
      "unrolled evaluate models/an4 --manifest valid.jsonl --lm lm.arpa --tune",
    ],
    [
      "how well does it translate?",
      "unrolled evaluate models/de-en --source test.de --reference test.en --beam 5",
    ],
    [
      "how well does it describe?",
      "unrolled evaluate models/photos --captions captions.json --images photos --beam 5",
    ],
  ]);
}

const speechFlags = (): Option[] => [
  new Option("--manifest <path>", "recordings and their texts, as for `train speech`"),
  new Option(
    "--split <part>",
    "of a data set that has parts: train, valid or test (default: test); of captions: a file of images' names",
  ),
  lengthFlag("--join <n>", "strings of so many utterances of a speaker, 3-7 (default: as they are)"),
  new Option("--skip-bad", "leave out utterances that cannot be used, and say so (default: stop)"),
  ...decodingFlags(),
  new Option("--tune", "try weights of --lm, and insertion bonuses; the best come first"),
];

const translationFlags = (): Option[] => [
  new Option("--source <file>", "sentences that the model was not trained on, one a line"),
  new Option("--reference <file>", "their translations, line by line"),
  repeatedFlag("--with <dir>", "another model of the same tokens: an ensemble; may be given again"),
  ...rankingFlags("of --beam: "),
  tokenizeFlag(),
];

const kinds = ["memory", "speech", "translation", "captioning", "alignment"] as const;
type Kind = (typeof kinds)[number] | "text";

const ofImages = ["captions", "images", "encoder", "cache", "features", "names", "split"] as const;

/** The flags of each kind of model, which mean nothing to the others. */
const ofKind: Record<Kind, readonly (keyof Flags)[]> = {
  memory: ["sequences", "length", "seed"],
  speech: [
    "manifest",
    "split",
    "join",
    "skipBad",
    "beam",
    "lm",
    "lmUnit",
    "lmWeight",
    "insertionBonus",
    "lexicon",
    "tune",
  ],
  translation: ["source", "reference", "beam", "lengthPenalty", "coveragePenalty", "tokenize", "with"],
  captioning: [...ofImages, "beam", "lengthPenalty", "with"],
  alignment: ofImages,
  text: ["text", "int8", "dynamic", "neuralCache", "cacheTheta", "cacheLambda", "ranks"],
};

const named = {
  memory: "models of `train memory`",
  speech: "models of `train speech`",
  translation: "models of `train translation`",
  captioning: "models of `train captioning`",
  alignment: "models of `train alignment`",
  text: "language models",
};

async function evaluate(folder: string, { threads, ...flags }: Flags): Promise<void> {
  await useThreads(threads);
  const task = await taskOf(folder);
  const kind = kinds.find((one) => one === task) ?? "text";
  for (const [other, names] of Object.entries(ofKind) as [keyof typeof ofKind, readonly (keyof Flags)[]][]) {
    const given =
      other === kind
        ? undefined
        : names.find(
            (name) => flags[name as keyof typeof flags] !== undefined && !ofKind[kind].includes(name),
          );
    if (!given) continue;
    const flag = given.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    throw new OptionError(`--${flag} is for ${named[other]}, and ${folder} is none`);
  }
  if (kind === "memory") return evaluateMemory(folder, flags);
  if (kind === "translation") return evaluateTranslation(folder, flags);
  if (kind === "alignment") return evaluateAlignment(folder, flags);
  if (kind === "captioning") return evaluateCaptioning(folder, flags);
  return kind === "speech" ? evaluateSpeech(folder, flags as SpeechFlags) : evaluateText(folder, flags);
}

async function evaluateMemory(
  folder: string,
  { json, ...options }: ProblemFlags & { json?: true },
): Promise<void> {
  const { MemoryModel } = await import("../../tasks/memory/task.ts");
  const { sequences, loss, wrong } = await (await MemoryModel.load(folder)).evaluate(options);
  process.stdout.write(
    json
      ? `${JSON.stringify({ task: "memory", sequences, loss, wrong })}\n`
      : `sequences  ${sequences.toLocaleString("en-US")}\n` +
          `wrong      ${percent(wrong)}\n` +
          `loss       ${loss.toPrecision(4)}\n`,
  );
}

function neuralCacheOf({ neuralCache: size, cacheTheta: theta, cacheLambda: lambda }: TextFlags) {
  if (size === undefined) {
    if (theta === undefined && lambda === undefined) return undefined;
    throw new OptionError("--cache-theta and --cache-lambda are of a --neural-cache");
  }
  return { size, ...(theta !== undefined && { theta }), ...(lambda !== undefined && { lambda }) };
}

async function evaluateText(folder: string, { text, dynamic, ranks, int8, json, ...flags }: TextFlags) {
  if (!text) {
    throw new OptionError("--text FILE must name a text, one that the model was not trained on", {
      hint: "run `unrolled evaluate --help`",
    });
  }
  const { loadTextModel } = await import("../../tasks/load-model.ts");
  const model = await loadTextModel(folder, int8 ? { weights: "int8" } : {});
  const neuralCache = neuralCacheOf(flags);
  const options = {
    ...(dynamic !== undefined && { dynamic }),
    ...(ranks && { ranks }),
    ...(neuralCache && { neuralCache }),
  };
  const found: Evaluation = await model.evaluate(text, options);
  const { tokens, loss, perplexity, bitsPerToken, meanReciprocalRank } = found;
  process.stdout.write(
    json
      ? `${JSON.stringify({ task: model.config.task, ...found })}\n`
      : `tokens          ${tokens.toLocaleString("en-US")}\n` +
          `loss            ${loss.toFixed(4)} nats a token\n` +
          `perplexity      ${perplexity.toFixed(3)}\n` +
          `bits per token  ${bitsPerToken.toFixed(4)}\n` +
          (meanReciprocalRank === undefined ? "" : `1 / rank        ${meanReciprocalRank.toFixed(4)}\n`),
  );
}
