import type { Reply, Request } from "./messages.ts";

/** A running worker. */
export interface Connection {
  send(request: Request): void;
  /** Whether anyone waits for it. */
  busy(busy: boolean): void;
  end(): Promise<void>;
}

/** A worker that runs entry.ts. */
export function startWorker(receive: (reply: Reply) => void, lost: (cause: unknown) => void): Connection {
  // In these very words bundlers recognise a worker, and make a file of it.
  const worker = new Worker(new URL("./entry.js", import.meta.url), { type: "module" });
  worker.onmessage = ({ data }: MessageEvent<Reply>) => receive(data);
  worker.onerror = (event) => lost(new Error(event.message || "its code cannot be loaded"));
  return {
    send: (request: Request) => worker.postMessage(request),
    busy() {},
    end: async () => worker.terminate(),
  };
}
