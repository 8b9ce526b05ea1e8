import { startWorker } from "#start-worker";
import { EngineError, UsageError } from "../errors.ts";
import { type Reply, receiveError, sendURL } from "./messages.ts";

interface Call {
  resolve(value: unknown): void;
  reject(error: unknown): void;
  onProgress: ((event: never) => void) | undefined;
  signal: AbortSignal | undefined;
}

/** What options may hold that stays on this side. */
interface Hooks {
  signal?: AbortSignal | undefined;
  onProgress?: ((event: never) => void) | undefined;
}

/** A task in a worker, as seen from outside: its verbs, called by name. */
export class TaskWorker {
  readonly #connection = startWorker(
    (reply) => this.#receive(reply),
    (cause) => this.#lose(cause),
  );
  readonly #calls = new Map<number, Call>();
  #count = 0;
  /** Why nothing can be asked any more. */
  #ended: Error | undefined;

  /** Calls a verb. The last argument may be options, with a signal and onProgress in them. */
  call<T>(verb: string, ...args: unknown[]): Promise<T> {
    if (this.#ended) return Promise.reject(this.#ended);
    const id = this.#count++;
    const { signal, onProgress, ...options } = (args.at(-1) ?? {}) as Hooks;
    const hooked = signal !== undefined || onProgress !== undefined;
    const sent = (hooked ? [...args.slice(0, -1), options] : args).map(sendURL);
    const abort = () => this.#connection.send({ id, abort: true });
    const result = new Promise<unknown>((resolve, reject) => {
      // What cannot be cloned is refused here, before anyone waits.
      this.#connection.send({ id, verb, args: sent, signal: stateOf(signal), onProgress: !!onProgress });
      this.#calls.set(id, { resolve, reject, onProgress, signal });
      this.#connection.busy(true);
      signal?.addEventListener("abort", abort);
    });
    return result.finally(() => signal?.removeEventListener("abort", abort)) as Promise<T>;
  }

  #receive(reply: Reply): void {
    const call = this.#calls.get(reply.id);
    if (!call) return;
    if ("event" in reply) {
      call.onProgress?.(reply.event as never);
      return;
    }
    this.#calls.delete(reply.id);
    if (this.#calls.size === 0) this.#connection.busy(false);
    if (!("error" in reply)) call.resolve(reply.value);
    else if (reply.error.name === "AbortError" && call.signal) call.reject(call.signal.reason);
    else call.reject(receiveError(reply.error));
  }

  #lose(cause: unknown): void {
    this.#end(new EngineError(`worker: is lost: ${(cause as Error).message}`, { cause }));
  }

  #end(error: Error): void {
    this.#ended ??= error;
    for (const { reject } of this.#calls.values()) reject(this.#ended);
    this.#calls.clear();
  }

  /** Ends the worker, whatever it is doing, and gives its memory back. */
  async close(): Promise<void> {
    this.#end(new UsageError("worker: is closed"));
    await this.#connection.end();
  }
}

function stateOf(signal: AbortSignal | undefined) {
  return signal === undefined ? "none" : signal.aborted ? "aborted" : "waiting";
}
