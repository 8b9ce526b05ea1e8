import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { lockFolder } from "./folder-lock.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "unrolled-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const problem = (promise: Promise<unknown>) =>
  promise.then(
    () => "none",
    (error) =>
      String(error)
        .replaceAll(root, "…")
        .replace(/lock\.\S+/, "lock"),
  );

const host = hostname().replace(/[^\w.-]/g, "_");

it("keeps a folder to one at a time", async () => {
  const unlock = await lockFolder(root);
  expect(await problem(lockFolder(root))).toMatchInlineSnapshot(`
    "FileError: …: is in use by another training, of this process
    hint: name another folder, or wait; if that training no longer runs, remove …/lock"
  `);
  await unlock();
  expect(readdirSync(root)).toEqual([]);
  await (await lockFolder(root))();
});

it("never lets in two of many that come at once", async () => {
  const tried = await Promise.allSettled(Array.from({ length: 8 }, () => lockFolder(root)));
  const entered = tried.filter(({ status }) => status === "fulfilled");
  expect(entered.length).toBeLessThanOrEqual(1);
});

it("takes over from a process that has ended, and from one whose number is another's now", async () => {
  const child = spawn(process.execPath, ["--version"]);
  const pid = child.pid!;
  await new Promise((resolve) => child.on("close", resolve));
  writeFileSync(join(root, `lock.${pid}.123.abc.${host}`), "");
  if (process.platform === "linux") writeFileSync(join(root, `lock.${process.pid}.1.abc.${host}`), "");
  const unlock = await lockFolder(root);
  expect(readdirSync(root)).toHaveLength(1);
  await unlock();
});

it("leaves alone what lives, or lives elsewhere for all it knows", async () => {
  const child = spawn(process.execPath, ["-e", "setTimeout(() => {}, 60000)"]);
  writeFileSync(join(root, `lock.${child.pid}.0.abc.${host}`), "");
  expect(await problem(lockFolder(root))).toMatch(`process ${child.pid}\n`);
  child.kill("SIGKILL");
  await new Promise((resolve) => child.on("close", resolve));
  writeFileSync(join(root, "lock.17.0.abc.elsewhere"), "");
  expect(await problem(lockFolder(root))).toMatch("process 17 on elsewhere\n");
});
