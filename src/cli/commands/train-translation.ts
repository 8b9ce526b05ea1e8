import { type Command, Option } from "commander";
import { OptionError } from "../../errors.ts";
import type { TranslationEvent } from "../../tasks/translation/events.ts";
import type { TranslationOptions, TranslationSource } from "../../tasks/translation/options.ts";
import { addFlags, checkpointFlags, jsonFlag, logFlags, numberFlag, rateFlags, runFlags } from "../flags.ts";
import { followTraining } from "../follow-training.ts";
import { dataFlag, readRecipe, recipeData, recipeFlag } from "../recipes.ts";
import { examples } from "../ui/examples.ts";
import { duration, percent } from "../ui/format.ts";
import type { ProgressBar } from "../ui/progress.ts";

interface Flags extends Omit<TranslationOptions, "valid" | "onProgress" | "signal"> {
  source?: string;
  target?: string;
  validSource?: string;
  validTarget?: string;
  out: string;
  recipe?: string;
  data?: string;
  json?: true;
}

/** The options of `Translator.train`, as flags: the library knows their ranges and defaults, this their help. */
const flags: Record<string, Option[]> = {
  "Sentences:": [
    new Option("--source <file>", "sentences, one a line, UTF-8, perhaps packed by gzip or zstd"),
    new Option("--target <file>", "their translations, line by line"),
    new Option("--valid-source <file>", "sentences to validate on (default: a part of the others)"),
    new Option("--valid-target <file>", "their translations"),
    numberFlag("--valid-fraction <x>", "the part held out without these; 0 for none (default: 0.05)"),
    new Option("--unit <unit>", "what a token is: char, word or, of parts of words, bpe (default: bpe)"),
    numberFlag("--vocabulary-size <n>", "of bpe: how many tokens (default: 8000); of words: the most"),
    numberFlag("--min-count <n>", "of words: rarer ones are unknown (default: 2)"),
    new Option("--source-language <code>", "of words: cut them as Moses does, and truecase them, e.g. de"),
    new Option("--target-language <code>", "the same of the other side, e.g. en"),
    new Option("--joint", "both languages have the same tokens (default: of bpe)"),
    new Option("--no-joint", "each language has its own"),
    new Option("--lowercase", "all in lower case; not of char"),
    numberFlag("--max-length <n>", "the most tokens of a sentence; longer ones are left out (default: 200)"),
    recipeFlag("translation"),
    dataFlag(),
  ],
  "Network:": [
    new Option("--cell <cell>", "lstm or gru (default: lstm)"),
    numberFlag("--embedding-size <n>", "width of the tokens' vectors (default: 256)"),
    numberFlag("--hidden-size <n>", "units of a layer, the encoder's directions together (default: 256)"),
    numberFlag("--num-layers <n>", "layers of the encoder and of the decoder (default: 1)"),
    new Option("--no-bidirectional", "the encoder reads forward only (default: in both directions)"),
    new Option("--attention <score>", "dot, general, additive or none (default: general)"),
    new Option("--decoder <kind>", "plain, context, input-feeding or conditional (default: plain)"),
    new Option("--reverse-source", "read the source from its end"),
    numberFlag("--dropout <p>", "of embeddings, between layers, before the output (default: 0.3)"),
    new Option("--no-tie-weights", "output and embedding have weights of their own (default: the same)"),
    numberFlag("--init-range <x>", "all weights begin uniform in ±x (default: as each layer has it)"),
  ],
  "Training:": [
    numberFlag("--batch-tokens <n>", "the most tokens of a side of a batch (default: 2000)"),
    numberFlag("--epochs <n>", "passes over the sentences (default: 20)"),
    numberFlag("--max-steps <n>", "the most updates (default: as many as the epochs have)"),
    new Option("--optimizer <name>", "sgd, adam or adamw (default: adam)"),
    numberFlag("--learning-rate <x>", "size of an update (default: 0.7 for sgd, 0.001 for the others)"),
    ...rateFlags("cosine"),
    numberFlag("--label-smoothing <x>", "the part of a target that all tokens share (default: 0.1)"),
    numberFlag("--scheduled-sampling <p>", "read its own words, more and more, up to this part (default: 0)"),
    new Option("--measure <what>", "by what the best weights are told: bleu, exact or loss (default: bleu)"),
    ...runFlags(),
  ],
  "Checkpoints:": checkpointFlags(),
  "Log:": logFlags(),
};

export function define(command: Command): void {
  command
    .description(
      "Trains a translator on sentences and their translations: an encoder that reads and a decoder that writes, with " +
        "attention or without. The folder then holds the best weights by validation (model.safetensors), config.json, " +
        "tokenizer.json, and in training/ the last state.",
    )
    .requiredOption("--out <dir>", "a new or empty folder for the model")
    .addOption(jsonFlag("one event a line as JSON: resume, corpus, step, validation, checkpoint, done"));
  addFlags(command, flags);
  command.action(train);
  examples(command, [
    [
      "from German to English",
      "unrolled train translation --source train.de --target train.en --lowercase --out models/de-en",
    ],
    [
      "as in 2014: no attention, the source read from its end",
      "unrolled train translation --source a.de --target a.en --attention none --reverse-source --out models/2014",
    ],
    ["a recipe", "unrolled train translation --recipe numbers-and-dates --data data --out models/numbers"],
  ]);
}

/** Two files that are only good together. */
function pairOf(
  source: string | undefined,
  target: string | undefined,
  names: readonly [string, string],
): { source: string; target: string } | undefined {
  if (source !== undefined && target !== undefined) return { source, target };
  if (source === undefined && target === undefined) return undefined;
  const [given, missing] = source === undefined ? [names[1], names[0]] : names;
  throw new OptionError(`${given} needs ${missing} FILE, whose lines belong to its`);
}

/** What the flags come to: the sentences, and the options of `Translator.train`, a recipe's among them. */
function planTraining(flags: Omit<Flags, "json">) {
  const { source, target, validSource, validTarget, recipe, data, ...given } = flags;
  const plan = recipe === undefined ? undefined : readRecipe("translation", recipe);
  const own = pairOf(source, target, ["--source", "--target"]);
  const files =
    plan?.data && !own
      ? recipeData("translation", recipe!, plan.data, data ?? process.env.UNROLLED_DATA)
      : {};
  const sentences: TranslationSource | undefined = own ?? pairOf(files.source, files.target, ["", ""]);
  if (!sentences) {
    throw new OptionError("--source FILE and --target FILE must name sentences and their translations", {
      hint: "or name a --recipe",
    });
  }
  const valid =
    pairOf(validSource, validTarget, ["--valid-source", "--valid-target"]) ??
    pairOf(files.validSource, files.validTarget, ["", ""]);
  const options: TranslationOptions & { out: string } = {
    ...(plan?.options as TranslationOptions | undefined),
    ...given,
    ...(valid && { valid }),
  };
  return { sentences, options };
}

async function train({ json, ...flags }: Flags): Promise<void> {
  const { sentences, options } = planTraining(flags);
  const { out } = options;
  const { Translator } = await import("../../tasks/translation/task.ts");
  const done = await followTraining<TranslationEvent>(
    (hooks) => Translator.train(sentences, { ...options, ...hooks }),
    { json, out, reading: "the sentences were read", show },
  );
  if (!done) return;
  const { step, seconds } = done;
  process.stdout.write(
    `${out} holds the best weights; ${step} updates in ${duration(seconds)}\n\nnext:\n` +
      `  echo "…" | npx unrolled translate ${out} --beam 5\n` +
      `  npx unrolled evaluate ${out} --source FILE --reference FILE --beam 5\n`,
  );
}

function show(event: TranslationEvent, bar: ProgressBar): void {
  switch (event.type) {
    case "corpus": {
      const { pairs, heldOut, sourceVocabulary, targetVocabulary, empty, long } = event;
      const held = heldOut > 0 ? `, ${heldOut} to validate on` : "";
      bar.note(`${pairs} pairs${held}; ${sourceVocabulary - 1} tokens to ${targetVocabulary - 1}`);
      if (empty > 0) bar.note(`left out: ${empty} pairs with a blank side`);
      if (long > 0) bar.note(`left out: ${long} pairs longer than --max-length`);
      break;
    }
    case "validation": {
      const { epoch, perplexity, bleu, exact, best } = event;
      const better = best ? "" : " (no better)";
      bar.note(
        `epoch ${epoch}: perplexity ${perplexity.toFixed(2)}, BLEU ${bleu.toFixed(2)}, exact ${percent(exact)}${better}`,
      );
    }
  }
}
