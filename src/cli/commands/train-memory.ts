import { type Command, Option } from "commander";
import { OptionError } from "../../errors.ts";
import type { MemoryEvent, MemoryOptions } from "../../tasks/memory/options.ts";
import { type ProblemName, problemNames, problems } from "../../tasks/memory/problems.ts";
import { addFlags, jsonFlag, lengthFlag, numberFlag, threadsFlag } from "../flags.ts";
import { Interrupted, interruptible } from "../interrupt.ts";
import { readRecipe, recipeFlag } from "../recipes.ts";
import { examples } from "../ui/examples.ts";
import { duration, percent, wrap } from "../ui/format.ts";
import { ProgressBar } from "../ui/progress.ts";

interface Flags extends Omit<MemoryOptions, "problem" | "onProgress" | "signal"> {
  problem?: ProblemName;
  recipe?: string;
  out: string;
  json?: true;
}

/** The options of `MemoryModel.train`, as flags: the library knows their ranges and defaults, this their help. */
const flags: Record<string, Option[]> = {
  "Problem:": [
    new Option("--problem <name>", `what to learn: ${problemNames.join(", ")}`),
    lengthFlag("--length <n>", "steps of a sequence, 100, or from and to, 50-200 (default: the problem's)"),
    recipeFlag("memory"),
  ],
  "Network:": [
    new Option("--cell <cell>", "rnn, lstm or gru (default: lstm)"),
    new Option("--nonlinearity <f>", "of cell rnn: tanh, relu or sigmoid (default: tanh)"),
    numberFlag("--hidden-size <n>", "units of a layer (default: 50)"),
    numberFlag("--num-layers <n>", "layers on top of each other (default: 1)"),
    numberFlag("--forget-gate-bias <x>", "of cell lstm: what it begins with; 5 hardly forgets (default: 1)"),
    numberFlag("--chrono <n>", "of cell lstm, instead: steps for which it remembers at first"),
    new Option(
      "--recurrent-init <name>",
      "of cell rnn: W_hh at first, identity or orthogonal (default: random)",
    ),
  ],
  "Training:": [
    numberFlag("--batch-size <n>", "sequences to an update (default: 20, or 1000 for hessian-free)"),
    numberFlag("--max-steps <n>", "the most updates (default: 50000, or 500 for hessian-free)"),
    new Option("--optimizer <name>", "sgd, rmsprop, adam or, of a tanh net, hessian-free (default: adam)"),
    numberFlag("--damping <x>", "of hessian-free: how its quadratic model is damped at first (default: 1)"),
    numberFlag("--structural-damping <x>", "of hessian-free: the part that holds states (default: 0.03)"),
    numberFlag("--cg-iterations <n>", "of hessian-free: of conjugate gradients, at most (default: 200)"),
    numberFlag("--curvature-batch <n>", "of hessian-free: sequences of its products (default: a quarter)"),
    numberFlag("--learning-rate <x>", "size of an update (default: 0.01 for sgd, 0.001 for the others)"),
    numberFlag("--clip <x>", "the norm that gradients are scaled down to (default: 1)"),
    numberFlag(
      "--clip-value <x>",
      "instead, or as well if --clip is given: what each element of the gradients is cut to",
    ),
    numberFlag(
      "--omega <x>",
      "of cell rnn: weight of the regulariser against vanishing gradients (default: 0)",
    ),
    numberFlag("--validate-every <n>", "updates between validations (default: 500, or 5 for hessian-free)"),
    numberFlag("--valid-sequences <n>", "fresh sequences to validate on (default: 1000)"),
    numberFlag("--seed <n>", "of all random numbers (default: 1)"),
    threadsFlag(),
    numberFlag("--log-every <n>", "updates between entries of the log (default: two entries a second)"),
  ],
};

export function define(command: Command): void {
  command
    .description(
      "Trains a network on a problem that takes memory, until it is solved: on sequences made as they are needed, " +
        "and measured on others. The folder then holds config.json and model.safetensors.",
    )
    .requiredOption("--out <dir>", "a new or empty folder for the model")
    .addOption(jsonFlag("one event a line as JSON: step, validation, checkpoint, done"));
  addFlags(command, flags);
  command.action(train).addHelpText("after", `\nProblems:\n${described()}`);
  examples(command, [
    [
      "a tanh network with Pascanu's regulariser",
      "unrolled train memory --problem temporal-order --cell rnn --omega 4 --out models/order",
    ],
    ["an LSTM that adds", "unrolled train memory --problem addition --length 200 --out models/adding"],
    ["and does it generalise?", "unrolled evaluate models/adding --length 400"],
  ]);
}

function described(): string {
  return Object.entries(problems)
    .map(([name, { summary }]) => wrap(`${name}: ${summary}`, 98, "  "))
    .join("\n");
}

async function train({ json, recipe, ...given }: Flags): Promise<void> {
  const planned = recipe === undefined ? {} : readRecipe("memory", recipe).options;
  const options = { ...planned, ...given } as Flags & { problem: ProblemName };
  if (options.problem === undefined) {
    throw new OptionError(`--problem must name what to learn: ${problemNames.join(", ")}`, {
      hint: "or name a --recipe",
    });
  }
  const { MemoryModel } = await import("../../tasks/memory/task.ts");
  const bar = json ? undefined : new ProgressBar();
  const note = (line: string) => (bar ? bar.note(line) : process.stderr.write(`${line}\n`));
  const signal = interruptible(note);
  const { measure } = problems[options.problem] ?? {};
  let done: Extract<MemoryEvent, { type: "done" }> | undefined;
  await MemoryModel.train({
    ...options,
    signal,
    onProgress(event) {
      if (event.type === "done") done = event;
      if (!bar) process.stdout.write(`${JSON.stringify(event)}\n`);
      else if (event.type === "step") {
        bar.update({
          fraction: event.progress,
          stage: `update ${event.step}`,
          loss: event.loss,
          tokensPerSecond: event.tokensPerSecond,
          secondsLeft: event.secondsLeft,
        });
      } else if (event.type === "validation") {
        const error = measure === "wrong" ? "" : `, squared error ${event.loss.toPrecision(3)}`;
        bar.note(`update ${event.step}: ${percent(event.wrong)} wrong${error}`);
      }
    },
  }).finally(() => bar?.end());
  if (signal.aborted) throw new Interrupted(`stopped; ${options.out} holds the best model so far`, signal);
  if (json) return;
  const { solved, step, seconds } = done!;
  process.stdout.write(
    `${solved ? "solved" : "not solved"} after ${step} updates, ${duration(seconds)}; ${options.out} holds the model\n\n` +
      `next:\n  npx unrolled evaluate ${options.out}\n  npx unrolled gradients ${options.out} --plot gradients.svg\n`,
  );
}
