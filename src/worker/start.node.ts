import { Worker } from "node:worker_threads";
import type { Reply, Request } from "./messages.ts";
import type { Connection } from "./start.browser.ts";

/** A thread that runs entry.ts; it keeps the process alive only while it has work. */
export function startWorker(receive: (reply: Reply) => void, lost: (cause: unknown) => void): Connection {
  // Beside this file, with its extension: .ts in a clone of the repository, .js in the package.
  const worker = new Worker(new URL(import.meta.url.replace("start.node", "entry")));
  worker.unref();
  worker.on("message", receive);
  worker.on("error", lost);
  worker.on("exit", (code) => lost(new Error(`it ended with code ${code}`)));
  return {
    send: (request: Request) => worker.postMessage(request),
    busy: (busy) => (busy ? worker.ref() : worker.unref()),
    end: async () => {
      await worker.terminate();
    },
  };
}
