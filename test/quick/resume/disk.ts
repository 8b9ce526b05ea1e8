import { posix } from "node:path";
import type { FileSystem, OpenFile } from "../../../src/io/file-system.ts";

type Node = File | Folder;

interface File {
  kind: "file";
  content: Uint8Array<ArrayBuffer>;
  /** What the disk has of it. */
  synced: Uint8Array<ArrayBuffer>;
}

interface Folder {
  kind: "folder";
  entries: Map<string, Node>;
  /** The entries that the disk has. */
  synced: Map<string, Node>;
}

/** What a computer's end leaves of what was not flushed: everything (only the process died), or as little as it may. */
export type Ending = "process killed" | "power cut" | "power cut, names kept";

const newFolder = (): Folder => ({ kind: "folder", entries: new Map(), synced: new Map() });
const systemError = (code: string, path: string) => Object.assign(new Error(`${code}: ${path}`), { code });

/**
 * A disk in memory that forgets, as disks do: a file's bytes last once the file was flushed, a name in a folder once
 * the folder was. `intercept` hears of every call that changes something, before it happens, and may throw.
 */
export class Disk implements FileSystem {
  readonly #root = newFolder();
  readonly #intercept: (call: string, path: string) => "half" | undefined;

  constructor(
    intercept: (call: string, path: string) => "half" | undefined = () => undefined,
    root = newFolder(),
  ) {
    this.#intercept = intercept;
    this.#root = root;
  }

  /** The disk as the next process finds it. */
  after(ending: Ending, intercept?: (call: string, path: string) => "half" | undefined): Disk {
    const survive = (node: Node): Node => {
      if (node.kind === "file") {
        const content = ending === "process killed" ? node.content : node.synced;
        return { kind: "file", content, synced: content };
      }
      const names = ending === "power cut" ? node.synced : node.entries;
      // The next process is another one, and this one is gone.
      const rename = (name: string) => name.replace(/^lock\.\d+/, "lock.999999999");
      const entries = new Map([...names].map(([name, child]) => [rename(name), survive(child)]));
      return { kind: "folder", entries, synced: new Map(entries) };
    };
    return new Disk(intercept, survive(this.#root) as Folder);
  }

  /** Every file, by its path. */
  files(node: Node = this.#root, path = ""): Map<string, Buffer> {
    if (node.kind === "file") return new Map([[path, Buffer.from(node.content)]]);
    return new Map([...node.entries].flatMap(([name, child]) => [...this.files(child, `${path}/${name}`)]));
  }

  /** Puts other bytes into a file, as a failing disk does. */
  damage(path: string, change: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>): void {
    const file = this.#find(path);
    if (file?.kind !== "file") throw systemError("ENOENT", path);
    file.content = file.synced = change(file.content.slice());
  }

  #find(path: string): Node | undefined {
    let node: Node | undefined = this.#root;
    for (const name of posix.resolve("/", path).split("/").filter(Boolean)) {
      node = node?.kind === "folder" ? node.entries.get(name) : undefined;
    }
    return node;
  }

  #folder(path: string): Folder {
    const node = this.#find(path);
    if (!node) throw systemError("ENOENT", path);
    if (node.kind === "file") throw systemError("ENOTDIR", path);
    return node;
  }

  async open(path: string, flags: "r" | "w"): Promise<OpenFile> {
    if (flags === "w") {
      this.#intercept("open", path);
      this.#create(path).content = new Uint8Array();
    }
    const node = this.#find(path);
    if (!node) throw systemError("ENOENT", path);
    return this.#handle(path, node);
  }

  /** The file of this name, a new one if there is none. */
  #create(path: string): File {
    const there = this.#find(path);
    if (there?.kind === "file") return there;
    const file: File = { kind: "file", content: new Uint8Array(), synced: new Uint8Array() };
    this.#folder(posix.dirname(path)).entries.set(posix.basename(path), file);
    return file;
  }

  #handle(path: string, node: Node): OpenFile {
    const intercept = this.#intercept;
    const content = () => {
      if (node.kind === "folder") throw systemError("EISDIR", path);
      return node.content;
    };
    return {
      stat: async () => ({ size: content().length }),
      readFile: async () => content().slice(),
      async write(bytes, offset, length) {
        const half = intercept("write", path) === "half";
        const bytesWritten = half ? length >> 1 : length;
        (node as File).content = new Uint8Array(
          Buffer.concat([content(), bytes.subarray(offset, offset + bytesWritten)]),
        );
        return { bytesWritten };
      },
      async sync() {
        intercept("sync", path);
        if (node.kind === "file") node.synced = node.content;
        else node.synced = new Map(node.entries);
      },
      async close() {
        intercept("close", path);
      },
    };
  }

  async mkdir(path: string): Promise<string | undefined> {
    let at = "/";
    let first: string | undefined;
    for (const name of posix.resolve("/", path).split("/").filter(Boolean)) {
      const { entries } = this.#folder(at);
      at = posix.join(at, name);
      if (entries.has(name)) continue;
      this.#intercept("mkdir", at);
      entries.set(name, newFolder());
      first ??= at;
    }
    return first;
  }

  async appendFile(path: string, bytes: Uint8Array): Promise<void> {
    this.#intercept("append", path);
    const file = this.#create(path);
    file.content = new Uint8Array(Buffer.concat([file.content, bytes]));
  }

  async truncate(path: string, length: number): Promise<void> {
    this.#intercept("truncate", path);
    const file = this.#find(path) as File;
    file.content = file.content.slice(0, length);
  }

  async readdir(path: string): Promise<string[]> {
    return [...this.#folder(path).entries.keys()];
  }

  async rename(from: string, to: string): Promise<void> {
    this.#intercept("rename", to);
    const node = this.#find(from)!;
    this.#folder(posix.dirname(from)).entries.delete(posix.basename(from));
    this.#folder(posix.dirname(to)).entries.set(posix.basename(to), node);
  }

  async rm(path: string): Promise<void> {
    if (!this.#find(path)) return;
    this.#intercept("rm", path);
    this.#folder(posix.dirname(path)).entries.delete(posix.basename(path));
  }

  async rmdir(path: string): Promise<void> {
    if (this.#folder(path).entries.size > 0) throw systemError("ENOTEMPTY", path);
    this.#intercept("rmdir", path);
    this.#folder(posix.dirname(path)).entries.delete(posix.basename(path));
  }
}
