/** Exit codes of a process that was told to end, as shells have them: 128 and the signal's number. */
const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const;

/** A signal ended the command; what could be saved has been. */
export class Interrupted extends Error {
  readonly exitCode: number;

  /** `by` is the process's signal, or that of `interruptible` after it was given. */
  constructor(message: string, by: keyof typeof exitCodes | AbortSignal) {
    super(message);
    if (typeof by === "string") this.exitCode = exitCodes[by];
    else this.exitCode = by.reason instanceof Interrupted ? by.reason.exitCode : exitCodes.SIGINT;
  }
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
      controller.abort(new Interrupted("stopped", name));
    });
  };
  on("SIGINT");
  on("SIGTERM");
  return controller.signal;
}
