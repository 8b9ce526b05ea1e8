/** Milliseconds of work between two turns of the event loop: a page stays responsive, a server answers, Ctrl-C arrives. */
const TURN = 40;

/** A function to await now and then in long work: it gives the event loop a turn when one is due. */
export function eventLoopTurns(): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last < TURN) return;
    await new Promise((resolve) => setTimeout(resolve));
    last = performance.now();
  };
}
