import { type Command, Option } from "commander";
import { OptionError } from "../../errors.ts";
import { cells } from "../../tasks/language-model/choices.ts";
import type { LanguageModelEvent } from "../../tasks/language-model/events.ts";
import type { LanguageModelOptions } from "../../tasks/language-model/options.ts";
import {
  addFlags,
  checkpointFlags,
  jsonFlag,
  logFlags,
  numberFlag,
  repeatedFlag,
  seedsFlag,
  threadsFlag,
  wholeNumbersFlag,
} from "../flags.ts";
import { Interrupted, interruptible } from "../interrupt.ts";
import { dataFlag, type RecipeData, readRecipe, recipeData, recipeFlag } from "../recipes.ts";
import { examples } from "../ui/examples.ts";
import { duration } from "../ui/format.ts";
import { TrainingView } from "../ui/training.ts";

export interface TrainingFlags
  extends Omit<LanguageModelOptions, "valid" | "initFrom" | "onProgress" | "signal"> {
  text?: string[];
  valid?: string[];
  test?: string[];
  out: string;
  initFrom?: string;
  recipe?: string;
  data?: string;
  seeds?: number[];
  json?: true;
}

/** The options of `LanguageModel.train`, as flags: the library knows their ranges and defaults, this their help. */
export const trainingFlags: Record<string, Option[]> = {
  "Text:": [
    new Option(
      "--text <file...>",
      "UTF-8 text to learn from, perhaps packed by gzip or zstd; several are read in this order, the files of a " +
        'glob ("corpus/*.txt.gz") in that of their names',
    ),
    new Option("--valid <file...>", "text to validate on (default: the last part of the training text)"),
    numberFlag("--valid-fraction <x>", "the part held out without --valid; 0 for none (default: 0.1)"),
    numberFlag("--valid-tokens <n>", "the most tokens that a validation reads (default: 4000000)"),
    new Option("--test <file...>", "text to evaluate the best weights on in the end"),
    new Option(
      "--cache <dir>",
      "where the tokens of texts too large for memory are kept (default: the system's folder for caches)",
    ),
    new Option("--no-cache", "make such tokens anew each time, in a temporary file"),
    recipeFlag("language-model"),
    dataFlag(),
  ],
  "Tokens:": [
    new Option("--unit <unit>", "char, byte, word or, of parts of words, bpe (default: char)"),
    new Option(
      "--split <how>",
      "of words: whitespace, punctuation or, as for Chinese, segmenter (default: whitespace)",
    ),
    new Option("--lowercase", "of words and their parts: as lower case"),
    numberFlag(
      "--min-count <n>",
      "of words: rarer ones become <unk> (default: 2, or 1 if the text has <unk>)",
    ),
    numberFlag("--max-vocabulary <n>", "of words: the most to tell apart (default: all)"),
    numberFlag("--vocabulary-size <n>", "of bpe: how many parts of words to learn (default: 8000)"),
    new Option("--share-rare", "of words: the rarer ones share the probability of <unk> evenly"),
  ],
  "Network:": [
    new Option("--cell <cell>", `${cells.slice(0, -1).join(", ")} or ${cells.at(-1)} (default: lstm)`),
    new Option("--nonlinearity <f>", "of cell rnn: tanh, relu or sigmoid (default: tanh)"),
    numberFlag("--embedding-size <n>", "width of the tokens' vectors (default: as --hidden-size)"),
    numberFlag("--hidden-size <n>", "units of a layer (default: 128)"),
    numberFlag("--num-layers <n>", "layers on top of each other (default: 2)"),
    numberFlag("--dropout <p>", "after the embedding, between layers, before the output (default: 0)"),
    new Option("--variational-dropout", "drop the same units at each step of a window"),
    numberFlag("--weight-drop <p>", "dropout of the recurrent weights (default: 0)"),
    numberFlag("--zoneout <p>", "chance that a unit of h keeps its value for a step (default: 0)"),
    numberFlag("--zoneout-cell <p>", "of an LSTM: chance that a unit of c does (default: 0)"),
    new Option("--tie-weights", "use the embedding as the output's weights too"),
    new Option(
      "--output <kind>",
      "softmax, classes of words and the words within one, or adaptive: rare words in clusters (default: softmax)",
    ),
    numberFlag("--classes <n>", "of output classes: how many, at most (default: 100)"),
    new Option(
      "--class-binning <how>",
      "frequency or sqrt-frequency: what classes have alike (default: the latter)",
    ),
    numberFlag(
      "--direct <n>",
      "of output classes: size of a table of n-grams that vote too (default: 0, none)",
    ),
    numberFlag("--direct-order <n>", "the longest of these n-grams (default: 3)"),
    wholeNumbersFlag(
      "--cutoffs <n,n,…>",
      "of output adaptive: the first word of each cluster (default: 2000,10000)",
    ),
    numberFlag(
      "--sampled-softmax <n>",
      "in training, words that are drawn to stand for all (default: all do)",
    ),
    numberFlag("--compression <n>", "width of a sigmoid layer before the output (default: no such layer)"),
    numberFlag("--init-range <x>", "all weights begin uniform in ±x (default: as each layer has it)"),
  ],
  "Start:": [
    new Option(
      "--init-from <dir>",
      "start from a model: take over its architecture, and its weights token by token",
    ),
    new Option("--keep-tokenizer", "of --init-from: keep the model's vocabulary (default: that of the text)"),
    repeatedFlag(
      "--freeze <name>",
      "a parameter not to train; * for any characters: 'embedding.*'; may be repeated",
    ),
  ],
  "Training:": [
    numberFlag("--batch-size <n>", "streams of text read side by side (default: 50)"),
    numberFlag("--seq-length <n>", "tokens through which gradients flow back (default: 50)"),
    numberFlag("--bptt <n>", "tokens before these through which gradients flow back besides (default: 0)"),
    new Option(
      "--windows <how>",
      "sequential, the state carried on, or shuffled, from a state of zeros (default: sequential)",
    ),
    new Option("--independent", "lines have nothing to do with one another: each begins anew"),
    new Option(
      "--bidirectional",
      "each line is read from both ends: a model that fills gaps, and does not write",
    ),
    numberFlag("--epochs <n>", "passes over the text (default: 10)"),
    numberFlag("--max-steps <n>", "the most updates (default: as many as the epochs have)"),
    new Option(
      "--optimizer <name>",
      "sgd, asgd or nt-asgd, which average the weights, adagrad, rmsprop, adam or adamw (default: adam)",
    ),
    numberFlag("--nonmono <n>", "of nt-asgd: average once a loss is above all but the last n (default: 5)"),
    numberFlag(
      "--learning-rate <x>",
      "size of an update (default: 1 for sgd and its averages, 0.01 for adagrad, 0.002 for the others)",
    ),
    numberFlag("--ar <x>", "AR: weight of the mean square of what the output reads (default: 0)"),
    numberFlag("--tar <x>", "TAR: weight of the mean square of h's change from step to step (default: 0)"),
    numberFlag("--weight-decay <x>", "L2 penalty; decoupled for adamw (default: 0)"),
    numberFlag("--direct-rate <x>", "the rate of --direct as a multiple of the others' (default: 1)"),
    new Option("--schedule <name>", "constant, step, plateau, halving or cosine (default: constant)"),
    numberFlag("--decay <x>", "of step and plateau: what the rate is multiplied by (default: 0.5)"),
    numberFlag("--decay-after <n>", "of step: epochs before the first decay (default: 1)"),
    numberFlag("--min-improvement <x>", "of halving: the factor by which losses must fall (default: 1.003)"),
    numberFlag("--warmup <n>", "of cosine: updates over which the rate rises from 0 (default: 0)"),
    numberFlag("--clip <x>", "the norm that gradients are scaled down to (default: 5)"),
    numberFlag(
      "--clip-value <x>",
      "instead, or as well if --clip is given: what each element of the gradients is cut to",
    ),
    numberFlag("--accumulate <n>", "batches to one update (default: 1)"),
    numberFlag("--validate-every <n>", "updates between validations (default: one validation an epoch)"),
    numberFlag("--patience <n>", "stop after this many validations without a better one (default: never)"),
    numberFlag("--ema <x>", "validate and keep an average of the weights with this decay, e.g. 0.999"),
    numberFlag("--seed <n>", "of all random numbers (default: 1)"),
    seedsFlag("--seeds <list>", "train once for each of these, 1,2,3, or for so many; their spread is shown"),
    threadsFlag(),
  ],
  "Checkpoints:": checkpointFlags(),
  "Log:": [
    ...logFlags(),
    new Option("--log-norms", "log the norm of each parameter and of its gradient"),
    new Option("--profile", "show in the end what each op cost"),
    numberFlag("--sample-every <n>", "let it write some text after each n validations (default: never)"),
  ],
};

export function define(command: Command): void {
  command.description(
    "Trains a language model on a text. The folder then holds the best weights by validation " +
      "(model.safetensors), config.json, tokenizer.json, and in training/ the last state.",
  );
  command
    .requiredOption("--out <dir>", "a new or empty folder for the model")
    .addOption(
      jsonFlag(
        "one event a line as JSON: resume, reading, corpus, step, validation, sample, checkpoint, test, done",
      ),
    );
  addFlags(command, trainingFlags);
  command.action(train);
  examples(command, [
    ["a character model of a book", "unrolled train language-model --text book.txt --out models/book"],
    [
      "of words, with dropout",
      "unrolled train language-model --text book.txt --unit word --dropout 0.5 --out models/words",
    ],
    [
      "go on with a model on another text",
      "unrolled train language-model --text letters.txt --init-from models/book --out models/letters",
    ],
    [
      "is it luck? three seeds, and how far apart they end",
      "unrolled train language-model --text book.txt --seeds 3 --out runs/book",
    ],
    [
      "on from where it stopped, whatever stopped it",
      "unrolled train language-model --text book.txt --out models/book --resume",
    ],
    [
      "a published result",
      "unrolled train language-model --recipe char-rnn --data data --out models/shakespeare",
    ],
  ]);
}

/** What the flags come to: the texts, and the options of `LanguageModel.train`, a recipe's among them. */
export function planTraining(flags: Omit<TrainingFlags, "json" | "seeds">) {
  const { text, valid, test, recipe, data, ...given } = flags;
  const plan = recipe === undefined ? undefined : readRecipe("language-model", recipe);
  const files: Partial<RecipeData> =
    plan?.data && text === undefined
      ? recipeData("language-model", recipe!, plan.data, data ?? process.env.UNROLLED_DATA)
      : {};
  const source = text ?? files.text;
  if (source === undefined) {
    throw new OptionError("--text FILE must name a text to learn from", { hint: "or name a --recipe" });
  }
  const validText = valid ?? files.valid;
  const options: LanguageModelOptions & { out: string } = {
    ...(plan?.options as LanguageModelOptions | undefined),
    ...given,
    ...(validText !== undefined && { valid: validText }),
  };
  return { source, options, testText: test ?? files.test };
}

async function train({ json, seeds, ...flags }: TrainingFlags): Promise<void> {
  const { source, options, testText } = planTraining(flags);
  if (testText !== undefined) {
    // Whether it is there is not to be found out after hours.
    const { TextInFiles } = await import("../../data/text/text-source.ts");
    await TextInFiles.open([testText].flat(), "test");
  }
  if (seeds) {
    const { trainSeeds } = await import("../seeds.ts");
    return trainSeeds(source, options, { seeds, testText, json: json === true });
  }
  const { out } = options;
  const { LanguageModel } = await import("../../tasks/language-model/task.ts");
  const view = new TrainingView(json === true);
  const signal = interruptible((line) => view.note(line));
  let done: Extract<LanguageModelEvent, { type: "done" }> | undefined;
  const model = await LanguageModel.train(source, {
    ...options,
    signal,
    onProgress(event) {
      if (event.type === "done") done = event;
      else view.show(event);
    },
  })
    .catch((error) => {
      throw error === signal.reason ? new Interrupted("stopped while the text was read", signal) : error;
    })
    .finally(() => view.end());

  if (testText !== undefined && !signal.aborted) {
    const { cache } = options;
    const measured = await model
      .evaluate(testText, { signal, ...(cache !== undefined && { cache }) })
      .catch((error) => {
        view.show(done!);
        if (error !== signal.reason) throw error;
        throw new Interrupted(
          `stopped; ${out} holds the best weights, and was not tested to the end`,
          signal,
        );
      });
    view.show({ type: "test", ...measured });
  }
  view.show(done!);
  if (done!.reason === "aborted") {
    const way = "the same command with --resume goes on from here";
    throw new Interrupted(`stopped; ${out} holds the best model so far; ${way}`, signal);
  }
  if (!json) {
    process.stdout.write(
      `${out} holds the best weights; trained in ${duration(done!.seconds)}\n\nnext:\n` +
        `  npx unrolled generate ${out} --max-tokens 400\n` +
        `  npx unrolled inspect ${out}\n`,
    );
  }
}
