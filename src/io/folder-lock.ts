import { nodeModule } from "../engine/features.ts";
import { FileError } from "../errors.ts";
import { createFile, joinPath, listFolder, removePath } from "./files.ts";

/**
 * Keeps a folder to one process. Each that wants it puts an empty file into it whose name says who it is, and then
 * looks for others: a name is there or not, so nothing can be half written, and since no two are the same, what a dead
 * process left can be removed without harm to a living one. Of two that come at the same moment both may be refused,
 * never none.
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const own = lockName(thisProcess(), `${Date.now().toString(36)}${count++}`);
  await createFile(joinPath(folder, own));
  // What cannot be removed is seen to be a dead process's when this one has ended.
  const unlock = () => removePath(joinPath(folder, own)).catch(() => {});
  try {
    for (const name of await listFolder(folder)) {
      const owner = ownerOf(name);
      if (!owner || name === own) continue;
      const path = joinPath(folder, name);
      if (!mayLive(owner)) await removePath(path);
      else throw heldError(folder, path, owner);
    }
  } catch (error) {
    await unlock();
    throw error;
  }
  return unlock;
}

let count = 0;

/** A process that a folder belongs to, told apart from a later one of the same number by when it began. */
export interface Owner {
  host: string;
  pid: number;
  /** "0" where the system does not say. */
  started: string;
}

const lockName = ({ host, pid, started }: Owner, nonce: string) => `lock.${pid}.${started}.${nonce}.${host}`;

function ownerOf(name: string): Owner | undefined {
  const [, pid, started, host] = /^lock\.(\d+)\.(\d+)\.\w+\.(.+)$/.exec(name) ?? [];
  return host === undefined ? undefined : { host, pid: Number(pid), started: started! };
}

export function thisProcess(): Owner {
  const os = nodeModule<typeof import("node:os")>("node:os")!;
  const host = os.hostname().replace(/[^\w.-]/g, "_") || "localhost";
  return { host, pid: process.pid, started: startOf(process.pid) };
}

/** When a process began, in ticks since the system did, as Linux tells; "0" elsewhere, "" if it has ended. */
function startOf(pid: number): string {
  let stat: string;
  try {
    stat = nodeModule<typeof import("node:fs")>("node:fs")!.readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return "0";
  }
  // The second field is the command in parentheses, which may hold anything; then the state, and as 22nd the start.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ended = fields[0] === "Z" || fields[0] === "X";
  return ended ? "" : (fields[19] ?? "0");
}

/** False only if the process is known to be gone; of another machine's nothing is known. */
export function mayLive({ host, pid, started }: Owner): boolean {
  if (host !== thisProcess().host) return true;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as { code?: string }).code === "EPERM";
  }
  const now = startOf(pid);
  if (now === "") return false;
  return started === "0" || now === "0" || now === started;
}

function heldError(folder: string, path: string, { host, pid }: Owner): FileError {
  const own = thisProcess();
  const who =
    host !== own.host ? `process ${pid} on ${host}` : pid === own.pid ? "this process" : `process ${pid}`;
  return new FileError(`${folder}: is in use by another training, of ${who}`, {
    hint: `name another folder, or wait; if that training no longer runs, remove ${path}`,
  });
}
