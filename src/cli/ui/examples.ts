import type { Command } from "commander";

/** Ends a command's help with examples: what one wants, then what one types. */
export function examples(command: Command, lines: readonly (readonly [want: string, typed: string])[]): void {
  const text = lines.map(([want, typed]) => `  # ${want}\n  $ ${typed}`).join("\n\n");
  command.addHelpText("after", `\nExamples:\n${text}`);
}
