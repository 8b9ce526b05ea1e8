/** The same training everywhere: in every runtime and page the same losses, and no page's own thread ever busy. */
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LanguageModel } from "../../../src/index.ts";
import { type Consumer, makeConsumer, succeed } from "./consumer.ts";
import { openChromium, type PageResult, serve, visit } from "./pages.ts";
import { type Runtime, runtime, versions } from "./runtimes.ts";
import { steps } from "./steps.js";

interface Result {
  losses: [number, number][];
  text: string;
  same: boolean;
}

let consumer: Consumer;
let expected: Pick<Result, "losses" | "text">;
const here = import.meta.dirname;

beforeAll(async () => {
  consumer = makeConsumer();
  expected = await steps(LanguageModel);
  expect(expected.losses.map(([step]) => step)).toEqual([50, 100, 150, 200]);
});

afterAll(() => consumer?.remove());

function expectTheSame({ losses, text, same }: Result): void {
  const apart = losses.map(([step, loss], i) => [step, Math.abs(loss - expected.losses[i]![1])] as const);
  expect(apart.filter(([, difference]) => !(difference < 1e-6))).toEqual([]);
  expect(losses.length).toBe(expected.losses.length);
  expect(text).toBe(expected.text);
  expect(same).toBe(true);
}

describe("the same 200 steps on", () => {
  it.each(Object.keys(versions) as Runtime[])("%s", (name) => {
    const [command, ...args] = runtime(name);
    for (const file of ["program.js", "steps.js"]) cpSync(join(here, file), join(consumer.folder, file));
    expectTheSame(JSON.parse(succeed(command, [...args, "program.js"], consumer.folder)) as Result);
  });
});

describe("the same 200 steps in a page", () => {
  const index = (head: string) =>
    `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">${head}<script type="module" src="page.js"></script>`;
  let browser: Browser;

  beforeAll(async () => {
    browser = await openChromium();
  });

  afterAll(() => browser?.close());

  /** A folder with page.js, and a model beside it. */
  async function makePage(name: string, head = "", files = ""): Promise<string> {
    const folder = join(consumer.folder, name);
    mkdirSync(folder);
    for (const file of ["page.js", "steps.js"]) cpSync(join(here, file), join(folder, file));
    writeFileSync(join(folder, "index.html"), index(head));
    const tiny = await LanguageModel.train(
      { text: "the sea\n".repeat(40) },
      { hiddenSize: 8, batchSize: 2, seqLength: 8, epochs: 1 },
    );
    await tiny.save(join(folder, files, "model"));
    return folder;
  }

  async function expectTheSamePage(url: string): Promise<PageResult> {
    // Others may keep the processors busy and a short task waiting; a page that computes is busy every time.
    let result = await visit(browser, url);
    for (let i = 0; i < 4 && result.long?.length; i++) result = await visit(browser, url);
    expect(result.failed).toBeUndefined();
    expectTheSame(result);
    expect(result.long).toEqual([]);
    expect(result.failure).toMatch(/^F(ile|ormat)Error: http.*nothing\/config.json/);
    expect(result.served).toBe(7);
    return result;
  }

  it.each([false, true])("without a bundler, isolated: %s", async (isolated) => {
    const map = JSON.stringify({ imports: { "unrolled/worker": "./unrolled/worker.js" } });
    const folder = await makePage(`plain-${isolated}`, `<script type="importmap">${map}</script>`);
    cpSync(join(consumer.folder, "node_modules/unrolled/dist/browser"), join(folder, "unrolled"), {
      recursive: true,
    });
    const { url, close } = await serve(folder, { isolated });
    expect((await expectTheSamePage(url)).isolated).toBe(isolated);
    close();
  });

  it("built by Vite", async () => {
    const root = await makePage("vite", "", "public");
    const { build } = await import("vite");
    await build({ root, configFile: false, logLevel: "error" });
    const { url, close } = await serve(join(root, "dist"));
    await expectTheSamePage(url);
    close();
  });

  it("served by Vite while it is being written", async () => {
    const root = await makePage("vite-dev", "", "public");
    const { createServer } = await import("vite");
    const server = await createServer({ root, configFile: false, logLevel: "error", server: { port: 0 } });
    await server.listen();
    await expectTheSamePage(server.resolvedUrls!.local[0]!);
    await server.close();
  });
});
