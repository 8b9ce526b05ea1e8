import { type Command, CommanderError } from "commander";
import { OptionError } from "../errors.ts";
import { Interrupted } from "./interrupt.ts";

/** 130 or 143 interrupted (by SIGINT or SIGTERM), 2 the command line was not understood, 1 anything else. */
export function exitCode(error: unknown): number {
  if (error instanceof Interrupted) return error.exitCode;
  return error instanceof CommanderError || error instanceof OptionError ? 2 : 1;
}

/** The flags as a user types them and the names the library has for them: `--hidden-size`, `hiddenSize`. */
function flagsOf(command: Command): { flag: string; name: string }[] {
  return command.options.map((option) => ({
    flag: option.long ?? option.flags,
    name: option.attributeName(),
  }));
}

function commandPath(command: Command): string {
  return command.parent ? `${commandPath(command.parent)} ${command.name()}` : command.name();
}

async function usageMessage(error: CommanderError, command: Command): Promise<string> {
  const message = error.message.replace(/^error: /, "");
  const unknown = /^unknown (option|command) '(.*)'$/.exec(message);
  let guess = "";
  if (unknown?.[1] === "option") {
    guess = await nearestFlag(
      unknown[2]!,
      flagsOf(command).map(({ flag }) => flag),
    );
  } else if (unknown) {
    const { didYouMean } = await import("../options.ts");
    guess = didYouMean(
      unknown[2]!,
      command.commands.map((candidate) => candidate.name()),
    );
  }
  return `${message}${guess}\nhint: run \`${commandPath(command)} --help\``;
}

/** A flag that was cut short (`--hidden`, `--layers`, `--lr`), else the one that is spelt most alike. */
async function nearestFlag(typed: string, flags: readonly string[]): Promise<string> {
  const name = typed.replace(/^-+/, "");
  const meant = flags.find((flag) => {
    const words = flag.slice(2).split("-");
    return (
      flag.startsWith(`--${name}`) || words.includes(name) || words.map((word) => word[0]).join("") === name
    );
  });
  if (meant) return ` (did you mean ${meant}?)`;
  const { didYouMean } = await import("../options.ts");
  const guess = didYouMean(typed, flags);
  return guess.includes("did you mean") ? guess : "";
}

/**
 * The library says `LanguageModel.train: hiddenSize must be …`; who typed a command line knows that as `--hidden-size`.
 * A name of one word may be any word, so it must stand where the message names its option, or in backquotes.
 */
function nameFlags(message: string, command: Command): string {
  let text = message.replace(/^(?:[A-Z]\w+\.\w+: |engine: (?=threads ))/, "");
  for (const { flag, name } of flagsOf(command)) {
    const anywhere = /[A-Z]/.test(name);
    text = text
      .replaceAll(`\`${name}\``, flag)
      .replace(new RegExp(anywhere ? `(?<![-\\w])${name}\\b` : `^${name}(?= (must|is|needs)\\b)`, "g"), flag);
  }
  return text;
}

/** Says on stderr what went wrong, without a stack trace unless UNROLLED_DEBUG=1 asks for one. */
export async function report(error: unknown, command: Command): Promise<void> {
  const debug = process.env.UNROLLED_DEBUG === "1";
  const write = (text: string) => process.stderr.write(`${text}\n`);
  if (error instanceof CommanderError) {
    // Called without a command, it has shown the help already.
    if (error.code !== "commander.help") write(`error: ${await usageMessage(error, command)}`);
  } else if (error instanceof Error) {
    write(`${error instanceof Interrupted ? "" : "error: "}${nameFlags(error.message, command)}`);
    const expected = error instanceof Interrupted || isTyped(error);
    if (!expected && !debug) write("hint: this should not happen; UNROLLED_DEBUG=1 shows where it did");
  } else {
    write(`error: ${error}`);
  }
  if (debug && error instanceof Error) write(error.stack ?? "");
}

/** Thrown on purpose, by this library or by the system: not a bug. */
function isTyped(error: Error): boolean {
  return "hint" in error || typeof (error as NodeJS.ErrnoException).errno === "number";
}
