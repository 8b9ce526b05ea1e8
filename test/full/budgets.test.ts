/** What a page downloads, what is installed, and how soon it starts: each with a budget that fails when it is broken. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { type OutputChunk, rolldown } from "rolldown";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Consumer, makeConsumer, manifest, root, succeed } from "./everywhere/consumer.ts";

let consumer: Consumer;

beforeAll(() => {
  consumer = makeConsumer();
});

afterAll(() => consumer?.remove());

/** The chunks of a page's bundle, minified. */
async function bundle(names: string, from: string): Promise<OutputChunk[]> {
  const code = `import { ${names} } from "${from}"; globalThis.used = [${names}];`;
  const entry = join(consumer.folder, "entry.js");
  const bundled = await rolldown({
    input: entry,
    platform: "browser",
    logLevel: "silent",
    plugins: [
      {
        name: "entry",
        load: (id) => (id === entry ? code : null),
        resolveId: (id) => (id === entry ? id : null),
      },
    ],
  });
  const { output } = await bundled.generate({ minify: true });
  await bundled.close();
  return output.filter((chunk) => chunk.type === "chunk");
}

const kilobytes = (chunks: OutputChunk[]) =>
  chunks.reduce((sum, { code }) => sum + gzipSync(code, { level: 9 }).length, 0) / 1000;

/** Of the two builds of the kernels a page downloads one; the larger is counted. */
const isPlain = ({ moduleIds }: OutputChunk) => moduleIds.some((id) => /generated.plain/.test(id));
const isRelaxed = ({ moduleIds }: OutputChunk) => moduleIds.some((id) => /generated.relaxed/.test(id));

/** Kernels that no page fetches before a part that needs them: classes of words, their direct connections, scans. */
const ofParts = /generated.(relaxed|plain).(classes|direct|scan)\b/;

/** The entry and all it imports: what a page has before its first line runs. */
function importedBy(chunks: readonly OutputChunk[]): OutputChunk[] {
  const imported = new Set(chunks.filter(({ isEntry }) => isEntry));
  for (const { imports } of imported) {
    for (const chunk of chunks) if (imports.includes(chunk.fileName)) imported.add(chunk);
  }
  return [...imported];
}

/** Of one task alone: cells with layer normalization; recurrent language models, of which a recogniser may be given one. */
const ofPartsToo: Record<string, RegExp> = {
  LanguageModel: /generated.(relaxed|plain).norm\b/,
  SpeechRecognizer: /generated.(relaxed|plain).(gru|rnn)\b/,
};

/** What a page downloads at once, kernels included, and what it downloads when it first needs it, if ever. */
async function download(names: string, from: string) {
  const all = await bundle(names, from);
  const chunks = importedBy(all);
  const isOfParts = (id: string) => ofParts.test(id) || ofPartsToo[names]?.test(id);
  const families = all.filter((chunk) => !chunk.moduleIds.some(isOfParts));
  const kernels = Math.max(kilobytes(families.filter(isPlain)), kilobytes(families.filter(isRelaxed)));
  const later = all.filter((chunk) => !chunks.includes(chunk) && !isPlain(chunk) && !isRelaxed(chunk));
  const code = kilobytes(chunks);
  return { all, chunks, code, kernels, later: kilobytes(later), total: code + kernels };
}

describe("a page downloads, in kB", () => {
  it.each([
    ["to use a model", "LanguageModel", "unrolled/inference", 80],
    ["to use a recogniser of speech", "SpeechRecognizer", "unrolled/inference", 83],
    ["to use a translator", "Translator", "unrolled/inference", 80],
    ["to train a model", "LanguageModel", "unrolled", 140],
    ["to ask a worker, which downloads the rest", "LanguageModelWorker", "unrolled/worker", 4],
  ])("%s", async (_, names, from, budget) => {
    const { code, kernels, later, total } = await download(names, from);
    const parts = `${code.toFixed(1)} + kernels ${kernels.toFixed(1)} kB, later ${later.toFixed(1)}`;
    console.log(`${names} from ${from}: ${parts}`);
    expect(total).toBeGreaterThan(1);
    expect(total).toBeLessThanOrEqual(budget);
  });
});

it("what a model of sub-words needs besides is a chunk of its own", async () => {
  const chunks = await bundle("LanguageModel", "unrolled/inference");
  const subWords = chunks.filter(({ moduleIds }) => moduleIds.some((id) => /data.text.bpe/.test(id)));
  const modules = subWords.flatMap(({ moduleIds }) => moduleIds);
  expect(modules.some((id) => /bpe.tokenizer/.test(id))).toBe(true);
  expect(modules.filter((id) => /tasks.language.model|engine/.test(id))).toEqual([]);
  expect(kilobytes(subWords)).toBeLessThanOrEqual(8);
});

describe("a bundle has what it uses and no more", () => {
  const modulesOf = (chunks: OutputChunk[]) =>
    new Set(chunks.flatMap(({ moduleIds }) => moduleIds.map((id) => id.replace(/.*unrolled.dist./, ""))));

  it("of an op, that op", async () => {
    const { all, chunks, code } = await download("tanh, tensor, ready", "unrolled");
    const modules = [...modulesOf(chunks)];
    expect(modules).toContain("ops/pointwise.js");
    expect(
      modules.filter((id) =>
        /^(ops.(lstm|gru|rnn|gemm|softmax)|nn|optim|tasks|io|data|training|cli)\b/.test(id),
      ),
    ).toEqual([]);
    expect(code).toBeLessThan(15);
    const relaxed = [...modulesOf(all)].flatMap((id) => /generated.relaxed.(\w+)/.exec(id)?.[1] ?? []);
    expect(relaxed.sort()).toEqual(["core", "memory", "pointwise"]);
  });

  it("of inference, no training", async () => {
    const modules = [...modulesOf((await download("LanguageModel", "unrolled/inference")).chunks)];
    expect(modules).toContain("tasks/language-model/model.js");
    expect(modules.filter((id) => /^(optim|cli)\b|trainer|tensorboard/.test(id))).toEqual([]);
    expect(modules.filter((id) => /speech|audio|ctc|translation|beam/.test(id))).toEqual([]);
  });
});

it("what is installed is as large as the documentation says", () => {
  const sizeOf = (folder: string): number =>
    readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
      const path = join(folder, entry.name);
      return sum + (entry.isDirectory() ? sizeOf(path) : statSync(path).size);
    }, 0);
  const megabytes = sizeOf(join(consumer.folder, "node_modules")) / 1e6;
  const stated = Number(
    /installs (\d+\.\d) MB/.exec(readFileSync(join(root, "docs/dependencies.md"), "utf8"))?.[1],
  );
  expect(megabytes).toBeLessThanOrEqual(stated);
  expect(megabytes).toBeGreaterThan(0.8 * stated);
});

describe("it starts, at best of ten, in ms", () => {
  const best = (measure: () => number) => Math.min(...Array.from({ length: 10 }, measure));

  it("the command, to its version", () => {
    const bin = join(consumer.folder, "node_modules/unrolled", manifest.bin.unrolled!);
    const start = (...args: string[]) => {
      const started = performance.now();
      succeed(process.execPath, args, consumer.folder);
      return performance.now() - started;
    };
    const milliseconds = best(() => start(bin, "--version"));
    // There are machines where Node itself takes more than half of that.
    const node = best(() => start("--eval", "0"));
    console.log(`unrolled --version: ${milliseconds.toFixed(0)} ms, of which Node ${node.toFixed(0)} ms`);
    expect(milliseconds).toBeLessThanOrEqual(Math.max(150, node + 75));
  });

  it("the engine, to its first result", () => {
    const program =
      'import { tanh, tensor } from "unrolled"; const t = performance.now(); tanh(tensor([1])).item(); console.log(performance.now() - t)';
    const run = () =>
      Number(succeed(process.execPath, ["--input-type=module", "-e", program], consumer.folder));
    const milliseconds = best(run);
    console.log(`engine: ${milliseconds.toFixed(0)} ms`);
    expect(milliseconds).toBeLessThanOrEqual(50);
  });
});
