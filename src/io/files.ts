import { FileError, FormatError, UnrolledError } from "../errors.ts";
import { fileSystem, type Location, localFiles, localPaths, type OpenFile } from "./file-system.ts";

export type { Location };

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or folder",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "the file system is read-only",
  EISDIR: "it is a folder, not a file",
  ENOTDIR: "a part of the path is a file, not a folder",
  ENOSPC: "no space left on the device",
  EDQUOT: "the quota of disk space is used up",
  EIO: "the device failed to read or write",
  ENAMETOOLONG: "the name is too long",
};

export function fileError(path: Location, verb: "read" | "written", cause: unknown): FileError {
  const { code, message } = cause as { code?: string; message?: string };
  return new FileError(`${path}: cannot be ${verb}: ${reasons[code ?? ""] ?? message}`, { cause });
}

const size = (bytes: number) => (bytes < 2 ** 20 ? `${bytes} bytes` : `${(bytes / 2 ** 20).toFixed(1)} MiB`);

/** The content of a file of at most `maxBytes`; more is refused before it is read. A page downloads it. */
export async function readFile(path: Location, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const fs = localFiles();
  if (!fs || (path instanceof URL && path.protocol !== "file:")) return download(path, maxBytes);
  try {
    const handle = await fs.open(path, "r");
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

/**
 * Replaces a file as a whole: whatever happens, there is the old content or the new one, never a part. A content larger
 * than a string may be comes in lines.
 */
export async function writeFile(
  path: string,
  content: Uint8Array | string | Iterable<string>,
): Promise<void> {
  const { fs, paths } = fileSystem(path);
  const folder = paths.dirname(path);
  const temporary = paths.join(folder, `.${paths.basename(path)}.${process.pid}.tmp`);
  try {
    await makeFolder(folder);
    await writeContent(temporary, content);
    await fs.rename(temporary, path);
    await syncFolder(folder);
  } catch (cause) {
    await removePath(temporary).catch(() => {});
    throw fileError(path, "written", cause);
  }
}

/** A file in place of the one that `writeFile` was to replace when its process was killed. */
export function isTemporary(name: string): boolean {
  return /^\..*\.\d+\.tmp$/.test(name);
}

/** Writes files into a new folder, and returns when all of it is on the disk. The last file is written last. */
export async function writeNewFolder(
  folder: string,
  files: ReadonlyMap<string, Uint8Array | string>,
): Promise<void> {
  const { paths } = fileSystem(folder);
  let path = folder;
  try {
    await removePath(folder);
    await makeFolder(folder);
    for (const [name, content] of files) {
      path = paths.join(folder, name);
      await writeContent(path, content);
    }
    await syncFolder(folder);
  } catch (cause) {
    await removePath(folder).catch(() => {});
    throw fileError(path, "written", cause);
  }
}

/** Bytes handed to the system at a time. */
const PIECE = 2 ** 26;

async function writeContent(path: string, content: Uint8Array | string | Iterable<string>): Promise<void> {
  const handle = await fileSystem(path).fs.open(path, "w");
  try {
    if (content instanceof Uint8Array) await writeAll(handle, content);
    else
      for (const text of typeof content === "string" ? [content] : inPieces(content)) {
        await writeAll(handle, new TextEncoder().encode(text));
      }
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Characters written at a time, of a text that comes in many lines. */
const CHARACTERS = 2 ** 20;

function* inPieces(lines: Iterable<string>): Generator<string> {
  let piece = "";
  for (const line of lines) {
    piece += line;
    if (piece.length < CHARACTERS) continue;
    yield piece;
    piece = "";
  }
  yield piece;
}

/** An empty file, the folders above it too. */
export async function createFile(path: string): Promise<void> {
  const { fs, paths } = fileSystem(path);
  try {
    await makeFolder(paths.dirname(path));
    await (await fs.open(path, "w")).close();
  } catch (cause) {
    throw fileError(path, "written", cause);
  }
}

async function writeAll(handle: OpenFile, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, at, Math.min(PIECE, bytes.length - at));
    if (bytesWritten === 0) throw new Error(`only ${at} of ${bytes.length} bytes could be written`);
    at += bytesWritten;
  }
}

/** Creates a folder and those above it, and makes them last. */
export async function makeFolder(path: string): Promise<void> {
  const { fs, paths } = fileSystem(path);
  const first = await fs.mkdir(path, { recursive: true });
  if (first === undefined) return;
  const top = paths.dirname(paths.resolve(first));
  for (let at = paths.resolve(path); at !== top && at !== paths.dirname(at); at = paths.dirname(at)) {
    await syncFolder(paths.dirname(at));
  }
}

/** What systems say that cannot flush a folder, as Windows. */
const cannotSync = ["EPERM", "EACCES", "EISDIR", "EINVAL", "EBADF", "ENOTSUP"];

/** Makes what was created, renamed or removed in a folder last through a power cut. */
async function syncFolder(path: string): Promise<void> {
  try {
    const handle = await fileSystem(path).fs.open(path, "r");
    await handle.sync().finally(() => handle.close());
  } catch (cause) {
    if (!cannotSync.includes((cause as { code?: string }).code ?? "")) throw cause;
  }
}

/** Removes a file or a folder with all in it; none is as good. */
export async function removePath(path: string): Promise<void> {
  await fileSystem(path).fs.rm(path, { recursive: true, force: true });
}

/** Removes folders that have become empty, the inner ones first, and leaves the others alone. */
export async function removeEmptyFolders(...folders: string[]): Promise<void> {
  for (const folder of folders)
    await fileSystem(folder)
      .fs.rmdir(folder)
      .catch(() => {});
}

/** The names in a folder; none if there is no such folder. */
export async function listFolder(path: string): Promise<string[]> {
  try {
    return await fileSystem(path).fs.readdir(path);
  } catch (cause) {
    if (["ENOENT", "ENOTDIR"].includes((cause as { code?: string }).code ?? "")) return [];
    throw fileError(path, "read", cause);
  }
}

/** Makes sure, before hours of work, that `path` is an empty folder one can write to; creates it if need be. */
export async function createEmptyFolder(
  path: string,
  hint = "name another folder, or remove this one first",
): Promise<void> {
  const { fs, paths } = fileSystem(path);
  const probe = paths.join(path, `.unrolled.${process.pid}.tmp`);
  let entries: string[];
  try {
    await makeFolder(path);
    entries = await fs.readdir(path);
    if (entries.length === 0) {
      await writeContent(probe, "");
      await removePath(probe);
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
      hint,
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
  return localPaths()?.join(folder, ...names) ?? [folder.replace(/\/$/, ""), ...names].join("/");
}
