import { nodeModule } from "../engine/features.ts";
import { FileError, FormatError, UnrolledError, UsageError } from "../errors.ts";

/** A path; or a URL, which is what a page takes a path for: one relative to itself. */
export type Location = string | URL;

const nodeFiles = () => nodeModule<typeof import("node:fs/promises")>("node:fs/promises");
const nodePaths = () => nodeModule<typeof import("node:path")>("node:path");

/** All that writes. In a page there is nowhere to, and each function says so. */
export function fileSystem(path: string) {
  const fs = nodeFiles();
  const paths = nodePaths();
  if (!fs || !paths) {
    throw new UsageError(`${path}: files can be written in Node, Bun and Deno, not in a page`, {
      hint: "a model's `files()` are its files as bytes, to be kept wherever the page keeps things",
    });
  }
  return { fs, paths };
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or folder",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "the file system is read-only",
  EISDIR: "it is a folder, not a file",
  ENOTDIR: "a part of the path is a file, not a folder",
  ENOSPC: "no space left on the device",
  ENAMETOOLONG: "the name is too long",
};

export function fileError(path: Location, verb: "read" | "written", cause: unknown): FileError {
  const { code, message } = cause as { code?: string; message?: string };
  return new FileError(`${path}: cannot be ${verb}: ${reasons[code ?? ""] ?? message}`, { cause });
}

const size = (bytes: number) => (bytes < 2 ** 20 ? `${bytes} bytes` : `${(bytes / 2 ** 20).toFixed(1)} MiB`);

/** The content of a file of at most `maxBytes`; more is refused before it is read. A page downloads it. */
export async function readFile(path: Location, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const fs = nodeFiles();
  if (!fs || (path instanceof URL && path.protocol !== "file:")) return download(path, maxBytes);
  try {
    const handle = await fs.open(path);
    try {
      const { size: bytes } = await handle.stat();
      if (bytes > maxBytes) throw tooLarge(path, bytes, maxBytes);
      const content = await handle.readFile();
      if (content.length > maxBytes) throw tooLarge(path, content.length, maxBytes);
      return new Uint8Array(content.buffer, content.byteOffset, content.length);
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw cause instanceof FormatError ? cause : fileError(path, "read", cause);
  }
}

function tooLarge(path: Location, bytes: number, maxBytes: number): FormatError {
  return new FormatError(`${path}: is too large: ${size(bytes)}, at most ${size(maxBytes)} are read`);
}

async function download(url: Location, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  try {
    const response = await fetch(url);
    if (!response.ok) throw new FileError(`${url}: cannot be read: the server says ${response.status}`);
    const reader = response.body!.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      length += value.length;
      if (length > maxBytes) {
        await reader.cancel();
        throw tooLarge(url, length, maxBytes);
      }
      parts.push(value);
    }
  } catch (cause) {
    throw cause instanceof UnrolledError ? cause : fileError(url, "read", cause);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

/** Replaces a file as a whole: whatever happens, there is the old content or the new one, never a part. */
export async function writeFile(path: string, content: Uint8Array | string): Promise<void> {
  const { fs, paths } = fileSystem(path);
  const temporary = paths.join(paths.dirname(path), `.${paths.basename(path)}.${process.pid}.tmp`);
  try {
    await fs.mkdir(paths.dirname(path), { recursive: true });
    const handle = await fs.open(temporary, "w");
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await fs.rename(temporary, path);
    await syncFolder(paths.dirname(path));
  } catch (cause) {
    await fs.rm(temporary, { force: true }).catch(() => {});
    throw fileError(path, "written", cause);
  }
}

/** Makes a rename last through a power cut. Windows has no such thing and refuses. */
async function syncFolder(path: string): Promise<void> {
  try {
    const handle = await fileSystem(path).fs.open(path);
    await handle.sync().finally(() => handle.close());
  } catch {}
}

/** The names in a folder; none if there is no such folder. */
export async function listFolder(path: string): Promise<string[]> {
  try {
    return await fileSystem(path).fs.readdir(path);
  } catch (cause) {
    if ((cause as { code?: string }).code === "ENOENT") return [];
    throw fileError(path, "read", cause);
  }
}

/** Makes sure, before hours of work, that `path` is an empty folder one can write to; creates it if need be. */
export async function createEmptyFolder(path: string): Promise<void> {
  const { fs, paths } = fileSystem(path);
  const probe = paths.join(path, `.unrolled.${process.pid}.tmp`);
  let entries: string[];
  try {
    await fs.mkdir(path, { recursive: true });
    entries = await fs.readdir(path);
    if (entries.length === 0) {
      await fs.writeFile(probe, "");
      await fs.rm(probe);
    }
  } catch (cause) {
    if ((cause as { code?: string }).code === "EEXIST") {
      throw new FileError(`${path}: must be a folder, but is a file`);
    }
    throw fileError(path, "written", cause);
  }
  if (entries.length > 0) {
    const some = entries.slice(0, 3).join(", ") + (entries.length > 3 ? ", …" : "");
    throw new FileError(`${path}: must be a new or empty folder, but holds ${some}`, {
      hint: "name another folder, or remove this one first",
    });
  }
}

export function joinPath<P extends Location>(folder: P, ...names: string[]): P;
export function joinPath(folder: Location, ...names: string[]): Location {
  if (folder instanceof URL) {
    const joined = new URL(folder);
    joined.pathname = [joined.pathname.replace(/\/$/, ""), ...names].join("/");
    return joined;
  }
  return nodePaths()?.join(folder, ...names) ?? [folder.replace(/\/$/, ""), ...names].join("/");
}
