import { type Reply, type Request, receiveURL, sendError } from "./messages.ts";

type Verb = (...args: never[]) => unknown;

/** Does what requests ask of `verbs`. */
export function serve(verbs: Readonly<Record<string, Verb>>, send: (reply: Reply) => void) {
  const running = new Map<number, AbortController>();
  return async (request: Request): Promise<void> => {
    const { id } = request;
    if ("abort" in request) {
      running.get(id)?.abort();
      return;
    }
    const { verb, args, signal, onProgress } = request;
    const given = args.map(receiveURL);
    const controller = new AbortController();
    running.set(id, controller);
    if (signal === "aborted") controller.abort();
    if (signal !== "none" || onProgress) {
      given.push({
        ...(given.pop() as object),
        ...(signal !== "none" && { signal: controller.signal }),
        ...(onProgress && { onProgress: (event: unknown) => send({ id, event }) }),
      });
    }
    try {
      send({ id, value: await verbs[verb]!(...(given as never[])) });
    } catch (error) {
      send({ id, error: sendError(error) });
    } finally {
      running.delete(id);
    }
  };
}
