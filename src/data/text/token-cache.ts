import { environment, nodeModule } from "../../engine/features.ts";
import { DataError, FileError } from "../../errors.ts";
import { fileError, joinPath } from "../../io/files.ts";
import { nodeFiles } from "../../io/node-files.ts";
import type { TextInPieces } from "./text-source.ts";
import { TokenFile } from "./token-file.ts";

const VERSION = 1;
const DAY = 24 * 3600e3;
/** Token files that nobody opened for so long are removed. */
const UNUSED = 30 * DAY;
/** A file that is being written is never this old. */
const ABANDONED = DAY / 24;

/** Where token files are kept if nobody says otherwise. */
export function defaultCacheFolder(): string {
  const os = nodeModule<typeof import("node:os")>("node:os")!;
  const home = os.homedir();
  const roots: Partial<Record<string, string>> = {
    darwin: joinPath(home, "Library", "Caches"),
    win32: environment("LOCALAPPDATA") ?? joinPath(home, "AppData", "Local"),
  };
  const root = environment("XDG_CACHE_HOME") || roots[process.platform] || joinPath(home, ".cache");
  return joinPath(root, "unrolled");
}

export interface TokenRequest {
  /** The folder of the cache; false for a temporary file. */
  cache: string | false;
  texts: readonly TextInPieces[];
  /** All that the tokens depend on besides the texts; goes through JSON. */
  recipe: unknown;
  /** Writes the token file. */
  build(path: string): Promise<void>;
  /** Told how much of the texts has been read to know their content. */
  onRead?(bytes: number): void;
}

/**
 * The tokens of texts, out of the cache if it has them, else made and left there. They are found by the SHA-256 of the
 * texts' content and by the recipe. To read gigabytes for it at each start would take long, so the cache remembers the
 * content of files by their size, times, inode and samples: as long as those are the same, the content is taken to be.
 */
export async function openTokens(request: TokenRequest): Promise<{ tokens: TokenFile; found: boolean }> {
  if (request.cache === false) return { tokens: await temporaryTokens(request), found: false };
  const { cache, texts, recipe, build } = request;
  const stamps = await stampsOf(texts);
  const contents: string[] = [];
  for (const text of texts) contents.push(await contentOf(text, cache, request));
  const path = joinPath(cache, `${hash(JSON.stringify([VERSION, recipe, contents]))}.tokens`);
  const found = await openIfGood(path);
  if (found) return { tokens: found, found: true };
  await removeOld(cache);
  await replaceFile(path, async (temporary) => {
    const problem = await build(temporary).then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    if ((await stampsOf(texts)) !== stamps) throw changed(texts);
    if (problem) throw problem.error;
  });
  return { tokens: new TokenFile(path), found: false };
}

/**
 * Writes a file under another name and then gives it its own. Whoever writes the same at the same time gives the same
 * content the same name.
 */
async function replaceFile(path: string, write: (temporary: string) => Promise<void>): Promise<void> {
  const { fs } = nodeFiles(path);
  const temporary = `${path}.${temporaryName()}`;
  try {
    await write(temporary);
    await fs.rename(temporary, path).catch((cause) => {
      // Windows does not replace a file that somebody reads.
      if (!nodeFiles(path).sync.existsSync(path)) throw cause;
    });
  } catch (cause) {
    throw (cause as { syscall?: unknown }).syscall === undefined ? cause : cacheError(path, cause);
  } finally {
    await fs.rm(temporary, { force: true }).catch(() => {});
  }
}

function cacheError(path: string, cause: unknown): FileError {
  const { message } = fileError(path, "written", cause);
  return new FileError(message, {
    cause,
    hint: "name another folder by `cache`, or keep no tokens by setting it to false",
  });
}

const temporaryName = () => `${process.pid}-${Math.random().toString(36).slice(2)}.tmp`;

/** Tokens in a file that has no name any more once it is open. */
async function temporaryTokens({ build }: TokenRequest): Promise<TokenFile> {
  const os = nodeModule<typeof import("node:os")>("node:os")!;
  const path = joinPath(os.tmpdir(), `unrolled-${temporaryName()}`);
  try {
    await build(path);
    return new TokenFile(path);
  } finally {
    await nodeFiles(path).fs.rm(path, { force: true });
  }
}

async function stampsOf(texts: readonly TextInPieces[]): Promise<string> {
  const stamps: string[] = [];
  for (const text of texts) stamps.push(await text.stamp());
  return stamps.join(" ");
}

/** The hash of a text's content, known from before or found out now. */
async function contentOf(text: TextInPieces, cache: string, { onRead }: TokenRequest): Promise<string> {
  const stamp = await text.stamp();
  const memory = joinPath(cache, `${stamp}.content`);
  const { fs } = nodeFiles(memory);
  const known = await fs.readFile(memory, "utf8").catch(() => "");
  if (/^[0-9a-f]{64}\n$/.test(known)) {
    await touch(memory);
    return known.trimEnd();
  }
  const content = await text.hash(onRead);
  if ((await text.stamp()) !== stamp) throw changed([text]);
  await replaceFile(memory, async (temporary) => {
    await fs.mkdir(cache, { recursive: true });
    await fs.writeFile(temporary, `${content}\n`);
  });
  return content;
}

function changed(texts: readonly TextInPieces[]): DataError {
  return new DataError(`${texts.map(({ name }) => name).join(" or ")}: has changed while it was read`);
}

/** The token file, unless there is none or not a good one, which is then removed. */
async function openIfGood(path: string): Promise<TokenFile | undefined> {
  try {
    const tokens = new TokenFile(path);
    await touch(path);
    return tokens;
  } catch {
    await nodeFiles(path).fs.rm(path, { force: true });
    return undefined;
  }
}

/** Notes that a file was used today. */
async function touch(path: string): Promise<void> {
  const now = new Date();
  await nodeFiles(path)
    .fs.utimes(path, now, now)
    .catch(() => {});
}

/** Removes what nobody used for a month, and what writers left that did not come to an end. */
async function removeOld(folder: string): Promise<void> {
  const { fs } = nodeFiles(folder);
  for (const name of await fs.readdir(folder)) {
    const limit = /\.tmp$/.test(name)
      ? ABANDONED
      : /^[0-9a-f]{64}\.(tokens|content)$/.test(name)
        ? UNUSED
        : Infinity;
    const path = joinPath(folder, name);
    const { mtimeMs } = await fs.stat(path).catch(() => ({ mtimeMs: Date.now() }));
    if (Date.now() - mtimeMs > limit) await fs.rm(path, { force: true }).catch(() => {});
  }
}

function hash(text: string): string {
  const { createHash } = nodeModule<typeof import("node:crypto")>("node:crypto")!;
  return createHash("sha256").update(text).digest("hex");
}
