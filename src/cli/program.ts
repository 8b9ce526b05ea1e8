import { Command, CommanderError } from "commander";
import { exitCode, report } from "./failure.ts";
import { version } from "./version.ts";

/** A command's file: it declares its arguments, options and action on the command it is given. */
type Definition = (command: Command) => void;

/** Every command, and the file that is loaded when it is called. */
const commands: Record<string, { summary: string; load: () => Promise<{ define: Definition }> }> = {
  quickstart: {
    summary: "train a small LSTM on a book in about a minute, and see what it learnt",
    load: () => import("./commands/quickstart.ts"),
  },
  "train language-model": {
    summary: "train a language model on a text",
    load: () => import("./commands/train-language-model.ts"),
  },
  "train memory": {
    summary: "train a network on a problem that takes memory",
    load: () => import("./commands/train-memory.ts"),
  },
  "train speech": {
    summary: "train a recogniser of speech on recordings and their texts",
    load: () => import("./commands/train-speech.ts"),
  },
  "train translation": {
    summary: "train a translator on sentences and their translations",
    load: () => import("./commands/train-translation.ts"),
  },
  "train captioning": {
    summary: "train a captioner on images and their captions",
    load: () => import("./commands/train-captioning.ts"),
  },
  "train alignment": {
    summary: "train what aligns words with regions of images, and finds one by the other",
    load: () => import("./commands/train-alignment.ts"),
  },
  "train ngram": {
    summary: "train an n-gram language model on a text",
    load: () => import("./commands/train-ngram.ts"),
  },
  "sweep language-model": {
    summary: "train language models over a grid or a random sample of options",
    load: () => import("./commands/sweep-language-model.ts"),
  },
  average: {
    summary: "make one model of the mean weights of several",
    load: () => import("./commands/average.ts"),
  },
  interpolate: {
    summary: "mix language models, recurrent ones and n-grams",
    load: () => import("./commands/interpolate.ts"),
  },
  rescore: {
    summary: "give the hypotheses of n-best lists their log-probabilities",
    load: () => import("./commands/rescore.ts"),
  },
  evaluate: {
    summary: "measure a model: on texts, on recordings, or on fresh sequences of its problem",
    load: () => import("./commands/evaluate.ts"),
  },
  transcribe: {
    summary: "write what is said in recordings",
    load: () => import("./commands/transcribe.ts"),
  },
  translate: {
    summary: "translate lines of text",
    load: () => import("./commands/translate.ts"),
  },
  rerank: {
    summary: "choose from n-best lists of translations by what other models think",
    load: () => import("./commands/rerank.ts"),
  },
  caption: {
    summary: "say what is in images",
    load: () => import("./commands/caption.ts"),
  },
  align: {
    summary: "say which words of a sentence belong to which region of an image",
    load: () => import("./commands/align.ts"),
  },
  score: {
    summary: "give each line its log-probability and perplexity",
    load: () => import("./commands/score.ts"),
  },
  fill: {
    summary: "say what belongs in the gap of a line",
    load: () => import("./commands/fill.ts"),
  },
  generate: {
    summary: "let a language model write",
    load: () => import("./commands/generate.ts"),
  },
  gradients: {
    summary: "measure and plot how gradients vanish or explode through time",
    load: () => import("./commands/gradients.ts"),
  },
  bleu: {
    summary: "score translations by BLEU, chrF and TER, as sacreBLEU does",
    load: () => import("./commands/bleu.ts"),
  },
  inspect: {
    summary: "show a model's configuration, parameters, vocabulary and training",
    load: () => import("./commands/inspect.ts"),
  },
  runs: {
    summary: "list, compare and plot trainings by their logs",
    load: () => import("./commands/runs.ts"),
  },
  bench: {
    summary: "time a model of a given size on this machine, op by op",
    load: () => import("./commands/bench.ts"),
  },
  doctor: {
    summary: "check what this machine can do",
    load: () => import("./commands/doctor.ts"),
  },
};

const groups: Record<string, string> = {
  train: "train a model on data of your own",
  sweep: "train models over a grid or a random sample of options",
};

const helpWidth = ({ columns = 100 }: { columns?: number }) => Math.min(columns, 100);

/** The whole command line. A command's own file is loaded only when it is the one that is called. */
export function createProgram(): Command {
  const program = new Command("unrolled")
    .description("Recurrent neural networks: train them, look inside them, ship them.")
    .version(version(), "-v, --version", "print the version")
    .helpOption("-h, --help", "show help")
    .helpCommand(false)
    .showSuggestionAfterError(false)
    .configureOutput({
      outputError: () => {}, // failure.ts says it
      getOutHelpWidth: () => helpWidth(process.stdout),
      getErrHelpWidth: () => helpWidth(process.stderr),
    })
    .exitOverride()
    .addHelpText("after", "\nRun `unrolled <command> --help` for a command's options and examples.");
  const definitions = new Map<Command, () => Promise<{ define: Definition }>>();
  const parents = new Map<string, Command>();
  const lazily = async (_: Command, command: Command) => {
    const load = definitions.get(command);
    if (load) (await load()).define(command);
  };
  program.hook("preSubcommand", lazily);
  for (const [path, { summary, load }] of Object.entries(commands)) {
    const [first, second] = path.split(" ") as [string, string?];
    let parent = program;
    if (second !== undefined) {
      parent =
        parents.get(first) ??
        program.command(first).description(groups[first]!).helpCommand(false).hook("preSubcommand", lazily);
      parents.set(first, parent);
    }
    definitions.set(parent.command(second ?? first).summary(summary), load);
  }
  return program;
}

/** Runs the command line and sets the exit code: 0 done, 1 failed, 2 not understood, 130 or 143 interrupted. */
export async function main(args: string[]): Promise<void> {
  const program = createProgram();
  const [first, ...rest] = args;
  try {
    await program.parseAsync(first === "help" ? [...rest, "--help"] : args, { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return;
    process.exitCode = exitCode(error);
    await report(error, calledCommand(program, args));
  }
}

/** The innermost command that the arguments name. */
function calledCommand(program: Command, args: string[]): Command {
  let command = program;
  for (const arg of args) {
    const next = command.commands.find((candidate) => candidate.name() === arg);
    if (!next) break;
    command = next;
  }
  return command;
}
