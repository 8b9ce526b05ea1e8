import { type Command, Option } from "commander";
import { OptionError } from "../../errors.ts";
import { createEmptyFolder } from "../../io/files.ts";
import type { NgramOptions } from "../../tasks/ngram-model/options.ts";
import { jsonFlag, numberFlag, wholeNumbersFlag } from "../flags.ts";
import { dataFlag, readRecipe, recipeData, recipeFlag } from "../recipes.ts";
import { examples } from "../ui/examples.ts";
import { duration, table } from "../ui/format.ts";

interface Flags extends Omit<NgramOptions, "tokenizer" | "onProgress" | "signal"> {
  text?: string[];
  valid?: string[];
  test?: string[];
  vocabularyFrom?: string;
  arpa?: string;
  out: string;
  recipe?: string;
  data?: string;
  json?: true;
}

export function define(command: Command): void {
  command
    .description(
      "Trains an n-gram language model by modified Kneser-Ney: what a recurrent one is measured against and mixed " +
        "with (interpolate). Its folder is used as any model's: evaluate, score, generate, inspect.",
    )
    .requiredOption("--out <dir>", "a new or empty folder for the model")
    .option("--text <file...>", "UTF-8 text to learn from, perhaps packed; several are one text")
    .option("--valid <file...>", "text to evaluate the model on")
    .option("--test <file...>", "another one")
    .addOption(numberFlag("--order <n>", "the longest n-grams, 1 to 6 (default: 5)"))
    .addOption(new Option("--unit <unit>", "word or char (default: word)"))
    .addOption(
      new Option("--split <how>", "of words: whitespace, punctuation or segmenter (default: whitespace)"),
    )
    .addOption(new Option("--lowercase", "of words: as lower case"))
    .addOption(
      numberFlag(
        "--min-count <n>",
        "of words: rarer ones become <unk> (default: 2, or 1 if the text has <unk>)",
      ),
    )
    .addOption(numberFlag("--max-vocabulary <n>", "of words: the most to tell apart (default: all)"))
    .addOption(
      new Option("--vocabulary-from <dir>", "the vocabulary of this model, e.g. to be mixed with it"),
    )
    .addOption(new Option("--independent", "begin anew with each line (default: of words)"))
    .addOption(new Option("--no-independent", "let lines go on from one another (default: of characters)"))
    .addOption(
      wholeNumbersFlag(
        "--cutoffs <list>",
        "how often n-grams of order 1,2,3,… must occur to be kept, e.g. 1,1,2",
      ),
    )
    .addOption(new Option("--arpa <file>", "write the model in the ARPA format too"))
    .addOption(new Option("--cache <dir>", "where the tokens of texts too large for memory are kept"))
    .addOption(recipeFlag("ngram"))
    .addOption(dataFlag())
    .addOption(jsonFlag('one JSON object: {"out","sizes","bytes","seconds","valid","test"}'))
    .action(train);
  examples(command, [
    ["a 5-gram of words", "unrolled train ngram --text train.txt --valid valid.txt --out models/kn5"],
    ["of characters", "unrolled train ngram --unit char --order 6 --text book.txt --out models/kn6"],
    [
      "to be mixed with a recurrent model",
      "unrolled train ngram --text train.txt --vocabulary-from models/rnn --out models/kn5",
    ],
    ["for another program", "unrolled train ngram --text train.txt --out models/kn5 --arpa kn5.arpa"],
  ]);
}

async function train(flags: Flags): Promise<void> {
  const { text, valid, test, vocabularyFrom, arpa, out, recipe, data, json, ...given } = flags;
  const plan = recipe === undefined ? undefined : readRecipe("ngram", recipe);
  const files =
    plan?.data && text === undefined
      ? recipeData("ngram", recipe!, plan.data, data ?? process.env.UNROLLED_DATA)
      : undefined;
  const source = text ?? files?.text;
  if (source === undefined) {
    throw new OptionError("--text FILE must name a text to learn from", { hint: "or name a --recipe" });
  }
  await createEmptyFolder(out);
  const { NgramModel } = await import("../../tasks/ngram-model/model.ts");
  const { loadTextModel } = await import("../../tasks/load-model.ts");
  const started = performance.now();
  const tokenizer =
    vocabularyFrom === undefined ? undefined : (await loadTextModel(vocabularyFrom)).tokenizer;
  const model = await NgramModel.train(source, {
    ...(plan?.options as NgramOptions | undefined),
    ...given,
    ...(tokenizer && { tokenizer }),
  });
  const seconds = (performance.now() - started) / 1000;
  await model.save(out);
  if (arpa !== undefined) await model.saveArpa(arpa);
  const cache = given.cache === undefined ? {} : { cache: given.cache };
  const measured: Record<string, object> = {};
  const rows: string[][] = [];
  for (const [name, file] of Object.entries({ valid: valid ?? files?.valid, test: test ?? files?.test })) {
    if (file === undefined) continue;
    const evaluation = await model.evaluate(file, cache);
    measured[name] = evaluation;
    rows.push([name, evaluation.tokens.toLocaleString("en-US"), evaluation.perplexity.toFixed(3)]);
  }
  const { sizes, bytes } = model.table;
  if (json) {
    process.stdout.write(`${JSON.stringify({ out, sizes, bytes, seconds, ...measured })}\n`);
    return;
  }
  const count = sizes.reduce((sum, size) => sum + size, 0).toLocaleString("en-US");
  process.stdout.write(
    `${out} holds ${count} n-grams, ${(bytes / 2 ** 20).toFixed(1)} MiB in memory; trained in ${duration(seconds)}\n`,
  );
  if (rows.length > 0) process.stdout.write(`\n${table([["", "tokens", "perplexity"], ...rows])}\n`);
}
