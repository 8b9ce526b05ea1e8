import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { problem } from "../../test/problem.ts";
import { tensor } from "../tensor/tensor.ts";
import { createEmptyFolder, readFile, writeFile } from "./files.ts";
import { readModel, writeModelFolder } from "./model-folder.ts";

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "unrolled-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const at = (...parts: string[]) => join(root, ...parts);

/** The message of what a promise rejects with, the temporary folder taken out. */
describe("files", () => {
  it("are written as a whole, with the folders they need", async () => {
    const path = at("a", "b", "file.txt");
    await writeFile(path, "one");
    await writeFile(path, "two");
    expect(readFileSync(path, "utf8")).toBe("two");
    expect(readdirSync(at("a", "b"))).toEqual(["file.txt"]);
    expect(new TextDecoder().decode(await readFile(path, 3))).toBe("two");
  });

  it("keep their old content when writing fails, and leave nothing behind", async () => {
    mkdirSync(at("taken", "file"), { recursive: true });
    writeFileSync(at("taken", "file", "inside"), "kept");
    expect(await problem(writeFile(at("taken", "file"), "new"))).toMatch(/cannot be written/);
    expect(readdirSync(at("taken"))).toEqual(["file"]);
    expect(readFileSync(at("taken", "file", "inside"), "utf8")).toBe("kept");
  });

  it("that cannot be read say why", async () => {
    writeFileSync(at("large"), "0123456789");
    expect(await problem(readFile(at("nowhere"), 10))).toMatchInlineSnapshot(
      `"FileError: …/nowhere: cannot be read: there is no such file or folder"`,
    );
    expect(await problem(readFile(root, 2 ** 20))).toMatchInlineSnapshot(
      `"FileError: …: cannot be read: it is a folder, not a file"`,
    );
    expect(await problem(readFile(at("large"), 9))).toMatchInlineSnapshot(
      `"FormatError: …/large: is too large: 10 bytes, at most 9 bytes are read"`,
    );
    expect(await problem(readFile(at("large", "file"), 9))).toMatchInlineSnapshot(
      `"FileError: …/large/file: cannot be read: a part of the path is a file, not a folder"`,
    );
  });
});

describe("createEmptyFolder", () => {
  it("takes a new or an empty folder", async () => {
    await createEmptyFolder(at("new", "folder"));
    await createEmptyFolder(at("new", "folder"));
    expect(readdirSync(at("new", "folder"))).toEqual([]);
  });

  it("refuses a folder that holds something, and a file", async () => {
    mkdirSync(at("full"));
    for (const name of "abcd") writeFileSync(at("full", name), "");
    writeFileSync(at("a-file"), "");
    expect(await problem(createEmptyFolder(at("full")))).toMatchInlineSnapshot(`
      "FileError: …/full: must be a new or empty folder, but holds a, b, c, …
      hint: name another folder, or remove this one first"
    `);
    expect(await problem(createEmptyFolder(at("a-file")))).toMatchInlineSnapshot(
      `"FileError: …/a-file: must be a folder, but is a file"`,
    );
    expect(await problem(createEmptyFolder(at("a-file", "below")))).toMatchInlineSnapshot(
      `"FileError: …/a-file/below: cannot be written: a part of the path is a file, not a folder"`,
    );
  });

  it.skipIf(process.getuid?.() === 0 || process.platform === "win32")(
    "refuses one it may not write to (needs another user than root)",
    async () => {
      mkdirSync(at("read-only"), { mode: 0o555 });
      expect(await problem(createEmptyFolder(at("read-only")))).toMatch(
        "cannot be written: permission denied",
      );
      expect(await problem(createEmptyFolder(at("read-only", "below")))).toMatch("permission denied");
    },
  );
});

describe("a model's folder", () => {
  const folder = () => at("model");
  const weights = new Map([["w", tensor([1, 2])]]);

  it("gives back what was written", async () => {
    const config = { formatVersion: 1, sizes: [1, 2], name: "größe" };
    await writeModelFolder(folder(), { config, tokenizer: { unit: "byte" }, weights });
    expect(readdirSync(folder()).sort()).toEqual(["config.json", "model.safetensors", "tokenizer.json"]);
    const read = await readModel(folder());
    expect(read.config).toEqual(config);
    expect(read.tokenizer).toEqual({ unit: "byte" });
    expect([...read.weights.get("w")!.toArray()]).toEqual([1, 2]);
  });

  it("that is no such thing is refused with the file's name", async () => {
    const bad = (name: string, content: string | Uint8Array) => {
      writeFileSync(join(folder(), name), content);
      return problem(readModel(folder()));
    };
    expect(existsSync(folder())).toBe(true);
    expect(await problem(readModel(at("nothing")))).toMatchInlineSnapshot(
      `"FileError: …/nothing/config.json: cannot be read: there is no such file or folder"`,
    );
    expect(await bad("config.json", '{"a": 1')).toMatchInlineSnapshot(
      `"FormatError: …/model/config.json is not JSON, at character 8"`,
    );
    expect(await bad("config.json", Uint8Array.of(0x22, 0xff, 0x22))).toMatchInlineSnapshot(
      `"FormatError: …/model/config.json: is not UTF-8"`,
    );
    expect(await bad("config.json", " ".repeat(2 ** 20 + 1))).toMatchInlineSnapshot(
      `"FormatError: …/model/config.json: is too large: 1.0 MiB, at most 1.0 MiB are read"`,
    );
    expect(await bad("config.json", "{}")).toBe("none");
    expect(await bad("model.safetensors", "what?")).toMatchInlineSnapshot(
      `"FormatError: …/model/model.safetensors: must begin with 8 bytes of header length, got 5 bytes in all"`,
    );
  });
});
