/**
 * Turns the first Ctrl-C into a signal, so that work can end at leisure and save what it has; a second one ends the
 * process at once.
 */
export function interruptible(note: (line: string) => void = () => {}): AbortSignal {
  const controller = new AbortController();
  process.once("SIGINT", () => {
    process.once("SIGINT", () => process.exit(130));
    note("stopping; Ctrl-C again to stop at once");
    controller.abort();
  });
  return controller.signal;
}
