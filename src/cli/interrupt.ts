/** Exit codes of a process that was told to end, as shells have them: 128 and the signal's number. */
const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const;

/** Why the signal of `interruptible` was given. */
class Interruption extends Error {
  readonly exitCode: number;

  constructor(name: keyof typeof exitCodes) {
    super(`interrupted by ${name}`);
    this.exitCode = exitCodes[name];
  }
}

/** The exit code of a command that a signal ended. */
export function interruptedExitCode({ reason }: AbortSignal): number {
  return reason instanceof Interruption ? reason.exitCode : exitCodes.SIGINT;
}

/**
 * Turns the first Ctrl-C, or the first word of a system that shuts down or makes room (SIGTERM), into a signal, so that
 * work can end at leisure and save what it has; a second one ends the process at once.
 */
export function interruptible(note: (line: string) => void = () => {}): AbortSignal {
  const controller = new AbortController();
  const on = (name: keyof typeof exitCodes) => {
    process.once(name, () => {
      process.once(name, () => process.exit(exitCodes[name]));
      note(`stopping; ${name === "SIGINT" ? "Ctrl-C" : name} again to stop at once`);
      controller.abort(new Interruption(name));
    });
  };
  on("SIGINT");
  on("SIGTERM");
  return controller.signal;
}
