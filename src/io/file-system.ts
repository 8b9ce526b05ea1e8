import { nodeModule } from "../engine/features.ts";
import { UsageError } from "../errors.ts";

/** A path; or a URL, which is what a page takes a path for: one relative to itself. */
export type Location = string | URL;

/** An open file, as far as it is used here. */
export interface OpenFile {
  stat(): Promise<{ size: number }>;
  readFile(): Promise<Uint8Array<ArrayBuffer>>;
  /** Writes some of the bytes and says how many. */
  write(bytes: Uint8Array, offset: number, length: number): Promise<{ bytesWritten: number }>;
  /** Returns when what was written is on the disk. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Every call by which files are read and written: the part of `node:fs/promises` that is used. Few, so that a test can
 * stand in for a disk that is full, breaks, or loses its power between any two of them.
 */
export interface FileSystem {
  open(path: Location, flags: "r" | "w"): Promise<OpenFile>;
  /** Adds to the end of a file, which it creates if need be. */
  appendFile(path: string, bytes: Uint8Array): Promise<void>;
  truncate(path: string, length: number): Promise<void>;
  /** Gives the first folder it had to make. */
  mkdir(path: string, options: { recursive: true }): Promise<string | undefined>;
  readdir(path: string): Promise<string[]>;
  rename(from: string, to: string): Promise<void>;
  rm(path: string, options: { recursive: true; force: true }): Promise<void>;
  /** Of an empty folder. */
  rmdir(path: string): Promise<void>;
}

let standIn: FileSystem | undefined;

/** Lets another file system stand in for Node's, for tests; `undefined` brings Node's back. */
export function useFileSystem(fs: FileSystem | undefined): void {
  standIn = fs;
}

/** The files of this computer; a page has none. */
export function localFiles(): FileSystem | undefined {
  return standIn ?? nodeModule<typeof import("node:fs/promises")>("node:fs/promises");
}

export const localPaths = () => nodeModule<typeof import("node:path")>("node:path");

/** All that writes. In a page there is nowhere to, and each function says so. */
export function fileSystem(path: string): { fs: FileSystem; paths: typeof import("node:path") } {
  const fs = localFiles();
  const paths = localPaths();
  if (!fs || !paths) {
    throw new UsageError(`${path}: files can be written in Node, Bun and Deno, not in a page`, {
      hint: "a model's `files()` are its files as bytes, to be kept wherever the page keeps things",
    });
  }
  return { fs, paths };
}
