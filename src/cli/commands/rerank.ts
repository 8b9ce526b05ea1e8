import { basename } from "node:path";
import type { Command } from "commander";
import { readLines } from "../../data/text/lines.ts";
import { OptionError } from "../../errors.ts";
import { writeFile } from "../../io/files.ts";
import { readJsonFile } from "../../io/json-file.ts";
import type { BleuTokenizer } from "../../metrics/bleu-tokenizers.ts";
import { tokenizeFlag } from "../beam-flags.ts";
import { jsonFlag, repeatedFlag, threadsFlag, useThreads } from "../flags.ts";
import { examples } from "../ui/examples.ts";

/** Of a file of weights. */
const MAX_BYTES = 2 ** 20;

interface Flags {
  nbest?: string;
  source?: string;
  with?: string[];
  languageModel?: string[];
  reference?: string;
  weights?: string;
  tokenize?: BleuTokenizer;
  threads?: number;
  json?: true;
}

export function define(command: Command): void {
  command
    .description(
      "Chooses from the n-best lists of any translation system by its scores and what other models think. With " +
        "--reference it tunes the models' weights for BLEU (minimum error rate training) and writes them to --weights; " +
        "without, it reads them there and prints the best translation of each sentence.",
    )
    .requiredOption("--nbest <file>", 'n-best lists as Moses writes them: "0 ||| text ||| … ||| score"')
    .requiredOption("--source <file>", "the sentences, one a line; the lists count them from 0")
    .addOption(
      repeatedFlag("--with <dir>", "a translator: ln P of the text given the source; may be repeated"),
    )
    .addOption(repeatedFlag("--language-model <dir>", "a language model: ln P of the text; may be repeated"))
    .option("--reference <file>", "translations to tune the weights by")
    .requiredOption("--weights <file>", "where the weights are, or go to: JSON")
    .addOption(tokenizeFlag())
    .addOption(threadsFlag())
    .addOption(
      jsonFlag(
        'with --reference: {"weights","bleu":{"first","tuned","oracle"}}; without, one {"text","place"} a sentence',
      ),
    )
    .action(run);
  examples(command, [
    [
      "n-best lists of our own",
      "unrolled translate models/de-en val.de --beam 12 --n-best 12 --moses > val.nbest",
    ],
    [
      "weights that are best on them",
      "unrolled rerank --nbest val.nbest --source val.de --with models/2 --language-model models/en --reference val.en --weights w.json",
    ],
    [
      "and the best of others",
      "unrolled rerank --nbest test.nbest --source test.de --with models/2 --language-model models/en --weights w.json",
    ],
  ]);
}

async function run(flags: Flags): Promise<void> {
  const { nbest, source, reference, weights: file, tokenize, json } = flags;
  await useThreads(flags.threads);
  const rerank = await import("../../tasks/translation/rerank.ts");
  const { lines: sources } = await readLines(source!);
  const { lines } = await readLines(nbest!);
  const lists = rerank.parseNbest(lines, sources, nbest!);
  const scored = await rerank.scoreLists(lists, await loadModels(flags));
  if (reference === undefined) {
    const places = rerank.rerank(scored, rerank.weightsFromJSON(await readJsonFile(file!, MAX_BYTES), file!));
    for (const [i, place] of places.entries()) {
      const text = lists[i]!.hypotheses[place]?.text ?? "";
      process.stdout.write(`${json ? JSON.stringify({ text, place }) : text}\n`);
    }
    return;
  }
  const { lines: references } = await readLines(reference);
  const tuned = rerank.tuneRerank(scored, references, tokenize ? { tokenize } : {});
  await writeFile(file!, `${JSON.stringify(rerank.weightsToJSON(tuned.weights), null, 2)}\n`);
  if (json) {
    process.stdout.write(`${JSON.stringify(tuned)}\n`);
    return;
  }
  const row = (name: string, value: string) => `${name.padEnd(24)} ${value.padStart(8)}\n`;
  const { first, tuned: reached, oracle } = tuned.bleu;
  process.stdout.write(
    row("BLEU, the first ones", first.toFixed(2)) +
      row("by these weights", reached.toFixed(2)) +
      row("the best there are", oracle.toFixed(2)) +
      Object.entries(tuned.weights)
        .map(([name, weight]) => row(`weight of ${name}`, weight.toFixed(4)))
        .join(""),
  );
}

async function loadModels({ with: translators = [], languageModel: languageModels = [] }: Flags) {
  if (translators.length + languageModels.length === 0) {
    throw new OptionError("--with DIR or --language-model DIR must name a model to ask");
  }
  const { Translator } = await import("../../tasks/translation/model.ts");
  const { loadTextModel } = await import("../../tasks/load-model.ts");
  const names = [...translators, ...languageModels].map((folder) => basename(folder));
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) {
    throw new OptionError(
      `two models are called ${twice}, and weights are told apart by the folders' last names`,
    );
  }
  const load = async <M>(folders: readonly string[], of: (folder: string) => Promise<M>) =>
    new Map(await Promise.all(folders.map(async (folder) => [basename(folder), await of(folder)] as const)));
  return {
    translators: await load(translators, (folder) => Translator.load(folder)),
    languageModels: await load(languageModels, loadTextModel),
  };
}
