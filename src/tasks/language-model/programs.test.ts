/** What programs need around the task: progress, signals, streams that go on elsewhere, models from memory and the net. */
import { createServer, type Server } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { GenerateOptions, GenerationState } from "./generate.ts";
import { LanguageModel } from "./task.ts";

const text = "the quick brown fox jumps över the lazy dog\n".repeat(60);
const small = { hiddenSize: 24, batchSize: 4, seqLength: 16, epochs: 1, validFraction: 0 } as const;
const models: Record<string, LanguageModel> = {};

beforeAll(async () => {
  for (const unit of ["char", "byte", "word"] as const) {
    models[unit] = await LanguageModel.train({ text }, { ...small, unit });
  }
});

async function join(pieces: AsyncIterable<string>): Promise<string> {
  let joined = "";
  for await (const piece of pieces) joined += piece;
  return joined;
}

describe("a stream of text", () => {
  it("comes the same with for await, and lets others have their turn", async () => {
    const lm = models.char!;
    const options = { seed: 5, maxTokens: 3000 };
    let turns = 0;
    const timer = setInterval(() => turns++);
    expect(await join(lm.generateStream("the ", options))).toBe(lm.generate("the ", options));
    clearInterval(timer);
    expect(turns).toBeGreaterThan(0);
  });

  it("ends with the signal's reason", async () => {
    const controller = new AbortController();
    let pieces = 0;
    const read = async () => {
      for await (const _ of models.char!.generateStream("the ", { signal: controller.signal })) {
        if (++pieces === 5) controller.abort(new Error("enough"));
      }
    };
    await expect(read()).rejects.toThrow("enough");
    expect(pieces).toBe(5);
  });

  it.each(["char", "byte", "word"])(
    "of unit %s goes on from its state as if it had never stopped",
    (unit) => {
      const lm = models[unit]!;
      const options = { seed: 3, temperature: 2, stop: "dog\nthe quick brown" };
      const go = (from: GenerateOptions, pieces: number): [string[], GenerationState] => {
        const stream = lm.generateStream(from.state ? "" : "the lazy ", from);
        const read: string[] = [];
        for (const piece of stream) if (read.push(piece) === pieces) break;
        // Through JSON, as it might reach another process.
        return [read, JSON.parse(JSON.stringify(stream.state()))];
      };
      const [whole] = go({ ...options, maxTokens: 120 }, 60);
      const parts: string[] = [];
      let from: GenerateOptions = { ...options, maxTokens: 120 };
      while (parts.length < 60) {
        const [read, state] = go(from, 7);
        parts.push(...read);
        from = { ...options, seed: state.seed, state, maxTokens: 120 - state.drawn };
        lm.generate("the", { maxTokens: 3 }); // someone else's turn
      }
      expect(parts.slice(0, whole.length)).toEqual(whole);
    },
  );

  it("reads what is said in between", () => {
    const lm = models.char!;
    const stream = lm.generateStream("the qu", { maxTokens: 0 });
    expect([...stream]).toEqual([]);
    const options = { temperature: 0, maxTokens: 30 };
    const both = lm.generate("the quick", options);
    expect(lm.generate("ick", { ...options, state: stream.state() })).toBe(both);
  });

  it("refuses a state of another model", () => {
    const state = models.word!.generateStream("the", { maxTokens: 1 }).state();
    const { c: _, ...h } = state.layers;
    const attempt = (layers: GenerationState["layers"]) => () =>
      models.char!.generate("", { state: { ...state, layers } });
    expect(attempt(h)).toThrowErrorMatchingInlineSnapshot(
      `[OptionError: state: is not of this model: must have h of 48, c of 48, got h of 48]`,
    );
    expect(attempt({ ...state.layers, h: [1] })).toThrowErrorMatchingInlineSnapshot(
      `[OptionError: state: is not of this model: must have h of 48, c of 48, got h of 1, c of 48]`,
    );
  });
});

describe("an evaluation", () => {
  it("tells how far it is, and ends with the signal's reason", async () => {
    const lm = models.char!;
    const seen: number[] = [];
    const { tokens } = await lm.evaluate({ text }, { onProgress: (event) => seen.push(event.tokens) });
    expect(seen.length).toBeGreaterThan(2);
    expect(seen.at(-1)).toBe(tokens);
    const controller = new AbortController();
    const aborted = lm.evaluate(
      { text },
      { signal: controller.signal, onProgress: () => controller.abort() },
    );
    await expect(aborted).rejects.toThrow(/aborted/);
  });
});

describe("a model", () => {
  let server: Server;
  let address: string;

  beforeAll(async () => {
    const files = models.char!.files();
    server = createServer(({ url }, response) => {
      const { config, tokenizer, weights } = files;
      const body = new Map([
        ["/book/config.json?v=2", config],
        ["/book/tokenizer.json?v=2", tokenizer],
        ["/book/model.safetensors?v=2", weights],
        ["/large/config.json", new Uint8Array(2 ** 20 + 1)],
      ]).get(url!);
      response.writeHead(body ? 200 : 404).end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    address = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  });
  afterAll(() => server.close());

  it("is the same again from its files, in memory or from a URL", async () => {
    const lm = models.char!;
    const options = { seed: 1, maxTokens: 20 };
    const loaded = await LanguageModel.load(lm.files());
    expect(loaded).toBeInstanceOf(LanguageModel);
    expect(loaded.generate("the", options)).toBe(lm.generate("the", options));
    const fetched = await LanguageModel.load(new URL(`${address}/book/?v=2`));
    expect(fetched.generate("the", options)).toBe(lm.generate("the", options));
  });

  it("that is no model is refused, by name", async () => {
    const problem = async (source: Parameters<typeof LanguageModel.load>[0]) => {
      const failure = LanguageModel.load(source).then(String, String);
      return (await failure).replaceAll(address, "http://…");
    };
    const files = models.char!.files();
    const other = { ...files, tokenizer: models.byte!.files().tokenizer };
    expect(
      await Promise.all([
        problem(new URL(`${address}/nothing`)),
        problem(new URL(`${address}/large/`)),
        problem(new URL("http://127.0.0.1:1/")),
        problem({ ...files, weights: files.weights.subarray(0, 99) }),
        problem({ ...files, config: "{}" as unknown as Uint8Array<ArrayBuffer> }),
        problem(other),
      ]),
    ).toMatchInlineSnapshot(`
      [
        "FileError: http://…/nothing/config.json: cannot be read: the server says 404",
        "FormatError: http://…/large/config.json: is too large: 1.0 MiB, at most 1.0 MiB are read",
        "FileError: http://127.0.0.1:1/config.json: cannot be read: fetch failed",
        "FormatError: model.safetensors: a header of 832 bytes does not fit a file of 99
      hint: the file is truncated or no safetensors file",
        "OptionError: load: config must be the bytes of config.json, a Uint8Array",
        "FormatError: tokenizer.json: has 256 tokens, but config.json says vocabularySize 29",
      ]
    `);
  });
});
