import type { Command } from "commander";
import { FormatError, OptionError } from "../../errors.ts";
import type { Hypothesis, RescoreOptions } from "../../tasks/mixture/rescore.ts";
import { jsonFlag, numberFlag, threadsFlag, useThreads } from "../flags.ts";
import { linesOf } from "../lines.ts";
import { examples } from "../ui/examples.ts";

interface Flags extends Omit<RescoreOptions, "mixWith"> {
  nbest?: string;
  ngram?: string;
  scores?: string;
  lmWeight?: number;
  best?: true;
  threads?: number;
  json?: true;
}

export function define(command: Command): void {
  command
    .description(
      "Gives each hypothesis of n-best lists its log10 probability, a line for a line. A line has the utterance's id " +
        "and the words; the hypotheses of an utterance stand together, the best first. They all follow what the " +
        "first hypothesis of the utterance before left behind, as in the RNNLM toolkit.",
    )
    .argument("<dir>", "the model's folder, or an n-gram model's file *.arpa")
    .option("--nbest <file>", "the lists (default: standard input)")
    .option("--ngram <dir>", "a model to mix in")
    .addOption(numberFlag("--lambda <x>", "with --ngram: the weight of the first model (default: 0.75)"))
    .option("--independent", "let no utterance follow another")
    .addOption(numberFlag("--oov-log-prob <x>", "log10 P of a word that no model knows (default: -5)"))
    .option("--scores <file>", "a score for each line, e.g. the recogniser's, to add to")
    .addOption(
      numberFlag(
        "--lm-weight <x>",
        "with --scores: what the log10 probability is multiplied by (default: 1)",
      ),
    )
    .option("--best", "print the best hypothesis of each utterance alone, with its id")
    .addOption(threadsFlag())
    .addOption(jsonFlag('one JSON object a hypothesis: {"id","text","log10Prob","tokens","unknown","score"}'))
    .action(run);
  examples(command, [
    [
      "a score a line, as the toolkit writes them",
      "unrolled rescore models/rnn --nbest nbest.txt > scores.txt",
    ],
    [
      "mixed with an n-gram; the best of each utterance",
      "unrolled rescore models/rnn --ngram models/kn5 --lambda 0.5 --nbest nbest.txt --best",
    ],
    [
      "together with the recogniser's scores",
      "unrolled rescore models/rnn --nbest nbest.txt --scores acoustic.txt --lm-weight 12 --best",
    ],
  ]);
}

interface Line extends Hypothesis {
  /** What was given with it. */
  other: number;
}

async function run(folder: string, flags: Flags): Promise<void> {
  const { nbest, ngram, scores, lmWeight, best, threads, json, ...options } = flags;
  if (lmWeight !== undefined && scores === undefined) {
    throw new OptionError("--lm-weight needs --scores FILE: what the log-probability is weighted against");
  }
  if (options.lambda !== undefined && ngram === undefined) {
    throw new OptionError("--lambda needs --ngram DIR: the model to mix with");
  }
  await useThreads(threads);
  const { loadTextModel } = await import("../../tasks/load-model.ts");
  const { rescore } = await import("../../tasks/mixture/rescore.ts");
  const model = await loadTextModel(folder);
  const mixWith = ngram === undefined ? undefined : await loadTextModel(ngram);
  const read: Line[] = [];
  const lines = hypothesesOf(nbest, scores, (line) => read.push(line));
  let winner: { id: string; text: string; score: number } | undefined;
  const tell = (line: object, text: string) =>
    process.stdout.write(`${json ? JSON.stringify(line) : text}\n`);
  const tellBest = () => winner && tell(winner, `${winner.id} ${winner.text}`);
  for await (const scored of rescore(model, lines, { ...options, ...(mixWith && { mixWith }) })) {
    const score = read.shift()!.other + (lmWeight ?? 1) * scored.log10Prob;
    if (!best) {
      tell({ ...scored, score }, score.toFixed(6));
      continue;
    }
    if (winner?.id !== scored.id) tellBest();
    if (winner?.id !== scored.id || score > winner.score) winner = { ...scored, score };
  }
  tellBest();
}

/** The lines of n-best lists, and the scores that were given with them. */
async function* hypothesesOf(
  nbest: string | undefined,
  scores: string | undefined,
  tell: (line: Line) => void,
): AsyncGenerator<Line> {
  const others = scores === undefined ? undefined : linesOf(scores);
  let number = 0;
  for await (const line of linesOf(nbest)) {
    if (line.number !== ++number) {
      const where = line.where.replace(/\d+$/, String(number));
      throw new FormatError(`${where}: must have an utterance's id and its words, got nothing`);
    }
    const [, id, text] = /^\s*(\S+)\s*(.*)$/.exec(line.text)!;
    const made = {
      id: id!,
      text: text!,
      where: line.where,
      other: others ? await scoreOf(others, scores!, number) : 0,
    };
    tell(made);
    yield made;
  }
  const more = await others?.next();
  if (more?.value) throw new FormatError(`${more.value.where}: is one line more than there are hypotheses`);
}

async function scoreOf(lines: ReturnType<typeof linesOf>, file: string, number: number): Promise<number> {
  const { value } = await lines.next();
  const score = value?.number === number ? Number(value.text) : Number.NaN;
  if (Number.isFinite(score)) return score;
  const got = value?.number === number ? JSON.stringify(value.text.slice(0, 40)) : "nothing";
  throw new FormatError(
    `${file}: line ${number}: must be a number, the score of that hypothesis, got ${got}`,
  );
}
