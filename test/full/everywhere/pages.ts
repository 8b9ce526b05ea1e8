/** Pages: served with or without cross-origin isolation, opened in Chromium. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { type Browser, chromium } from "playwright-core";

const candidates = [
  process.env.UNROLLED_CHROMIUM,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

export async function openChromium(): Promise<Browser> {
  const executablePath = candidates.find((path) => path && existsSync(path));
  if (!executablePath) throw new Error("Chromium is not installed (UNROLLED_CHROMIUM may name one)");
  const quiet = ["--no-first-run", "--disable-background-networking", "--disable-component-update"];
  const args = ["--no-sandbox", "--disable-quic", "--disable-sync", ...quiet];
  return chromium.launch({ executablePath, args });
}

/** What a page's page.js comes to. */
export interface PageResult {
  failed?: string;
  losses: [number, number][];
  text: string;
  same: boolean;
  isolated: boolean;
  /** Milliseconds of the tasks of the page's own thread that took 50 or more. */
  long: number[];
  failure: string;
  served: number;
}

export async function visit(browser: Browser, url: string): Promise<PageResult> {
  const page = await browser.newPage();
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(error.message));
  try {
    await page.goto(url);
    const result = await page.waitForFunction("globalThis.result", undefined, { timeout: 60_000 });
    return (await result.jsonValue()) as PageResult;
  } catch (error) {
    throw new Error(`${url}: ${problems.join(", ") || error}`);
  } finally {
    await page.close();
  }
}

const types: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".json": "application/json",
};

const isolation = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/** Serves a folder. */
export async function serve(folder: string, { isolated = false } = {}) {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url!, "http://page");
    const path = join(folder, pathname.endsWith("/") ? `${pathname}index.html` : pathname);
    const found = existsSync(path) && statSync(path).isFile();
    response.writeHead(found ? 200 : 404, {
      "Content-Type": types[extname(path)] ?? "application/octet-stream",
      ...(isolated && isolation),
    });
    response.end(found ? readFileSync(path) : undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  return { url: `http://127.0.0.1:${port}/`, close: () => server.close() };
}
