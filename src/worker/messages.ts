import * as errors from "../errors.ts";

/** What a client asks of its worker: a call of a verb, or that a running call end early. */
export type Request =
  | {
      id: number;
      verb: string;
      /** The last one is the options, where there are any. */
      args: unknown[];
      /** Whether the options had a signal and an onProgress, which cannot travel themselves. */
      signal: "none" | "waiting" | "aborted";
      onProgress: boolean;
    }
  | { id: number; abort: true };

/** What a worker has to say about a call: how it goes, what came of it, or what went wrong. */
export type Reply =
  | { id: number; event: unknown }
  | { id: number; value: unknown }
  | { id: number; error: SentError };

/** An error on its way between threads: structuredClone would make a plain Error of it. */
export interface SentError {
  name: string;
  message: string;
  stack: string | undefined;
  hint: string | undefined;
  cause: SentError | undefined;
}

export function sendError(error: unknown): SentError {
  if (!(error instanceof Error)) {
    return { name: "Error", message: String(error), stack: undefined, hint: undefined, cause: undefined };
  }
  const { name, message, stack, cause } = error;
  const { hint } = error as { hint?: string };
  return { name, message, stack, hint, cause: cause === undefined ? undefined : sendError(cause) };
}

/** The same class where it is one of ours, the same message, and the stack of where it was thrown. */
export function receiveError({ name, message, stack, hint, cause: sent }: SentError): Error {
  const cause = sent && receiveError(sent);
  const known = (errors as Record<string, typeof errors.UnrolledError | undefined>)[name];
  const bare = hint === undefined ? message : message.slice(0, message.indexOf(`\nhint: ${hint}`));
  const error = known
    ? new known(bare, { ...(hint !== undefined && { hint }), cause })
    : Object.assign(new Error(message, { cause }), { name });
  if (stack !== undefined) error.stack = stack;
  return error;
}

/** A URL on its way between threads: structuredClone refuses it. */
interface SentURL {
  href: string;
}

const isSentURL = (value: unknown): value is SentURL =>
  typeof (value as Partial<SentURL> | null)?.href === "string";

export const sendURL = <T>(value: T) => (value instanceof URL ? { href: value.href } : value);
export const receiveURL = (value: unknown) => (isSentURL(value) ? new URL(value.href) : value);
