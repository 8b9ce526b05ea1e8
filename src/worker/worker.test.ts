import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DataError, EngineError, OptionError, UsageError } from "../errors.ts";
import type { LanguageModelEvent } from "../tasks/language-model/events.ts";
import { LanguageModel } from "../tasks/language-model/task.ts";
import { LanguageModelWorker } from "./language-model.ts";
import { receiveError, sendError } from "./messages.ts";

const source = { text: "the quick brown fox jumps over the lazy dog\n".repeat(80) };
const options = { hiddenSize: 32, numLayers: 1, batchSize: 8, seqLength: 16, epochs: 2, seed: 3 } as const;

let here: LanguageModel;
let there: LanguageModelWorker;
const events: LanguageModelEvent[] = [];

beforeAll(async () => {
  here = await LanguageModel.train(source, options);
  there = await LanguageModelWorker.train(source, { ...options, onProgress: (event) => events.push(event) });
});
afterAll(() => there.close());

/** The longest time this thread's event loop stood still while `f` ran. */
async function longestStall(f: () => Promise<unknown>): Promise<number> {
  let last = performance.now();
  let longest = 0;
  const look = () => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  };
  const timer = setInterval(look);
  await f();
  look();
  clearInterval(timer);
  return longest;
}

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: Error) => error,
  );

describe("a model in a worker", () => {
  it("is trained to the same bytes, and tells how it goes", async () => {
    expect(await there.files()).toEqual(here.files());
    expect(there.config).toEqual(here.config);
    expect(events.at(-1)).toMatchObject({ type: "done", reason: "finished" });
  });

  it("evaluates, scores and generates the same", async () => {
    expect(await there.evaluate(source)).toEqual(await here.evaluate(source));
    expect(await there.score("the lazy fox")).toEqual(here.score("the lazy fox"));
    expect(await there.generate("the ", { seed: 1 })).toBe(here.generate("the ", { seed: 1 }));
  });

  it("loads what it saved", async () => {
    const loaded = await LanguageModelWorker.load(await there.files());
    expect(await loaded.score("the fox")).toEqual(here.score("the fox"));
    await loaded.close();
  });

  it("leaves this thread's event loop alone", async () => {
    // Much in one call: a large network, 40 ms and more a step.
    const large = { ...options, hiddenSize: 192, batchSize: 32, seqLength: 50, epochs: 4 };
    const stall = await longestStall(async () => {
      const lm = await LanguageModelWorker.train({ text: source.text.repeat(2) }, large);
      await lm.evaluate(source);
      await lm.close();
    });
    expect(stall).toBeLessThan(200);
  });
});

describe("a stream of text from a worker", () => {
  it("is read with for await, as fast as it is wanted", async () => {
    const stream = there.generateStream("the ", { seed: 5, maxTokens: 40 });
    let text = "";
    for await (const piece of stream) text += piece;
    expect(text).toBe(here.generate("the ", { seed: 5, maxTokens: 40 }));
    await expect(stream[Symbol.asyncIterator]().next()).rejects.toThrow("has been read already");
  });

  it("goes on from its state", async () => {
    const whole = here.generate("the ", { seed: 5, maxTokens: 40 });
    const stream = there.generateStream("the ", { seed: 5, maxTokens: 40 });
    let text = "";
    for await (const piece of stream) {
      text += piece;
      if (text.length === 13) break;
    }
    const state = await stream.state();
    expect(text + here.generate("", { state, maxTokens: 27 })).toBe(whole);
    expect(text + (await there.generate("", { state, maxTokens: 27 }))).toBe(whole);
  });
});

describe("a signal", () => {
  it("ends a training early, with a model", async () => {
    const controller = new AbortController();
    const reasons: string[] = [];
    const lm = await LanguageModelWorker.train(source, {
      ...options,
      epochs: 100_000,
      signal: controller.signal,
      onProgress(event) {
        if (event.type === "validation") controller.abort();
        if (event.type === "done") reasons.push(event.reason);
      },
    });
    expect(reasons).toEqual(["aborted"]);
    expect(await lm.generate("the", { maxTokens: 3, seed: 1 })).toHaveLength(3);
    await lm.close();
  });

  it("ends an evaluation and a generation with its reason", async () => {
    const reason = new Error("enough");
    const controller = new AbortController();
    const { signal } = controller;
    const evaluation = there.evaluate(
      { text: source.text.repeat(100) },
      { signal, onProgress: () => controller.abort(reason) },
    );
    expect(await failure(evaluation)).toBe(reason);
    expect(await failure(there.generate("the", { signal }))).toBe(reason);
    expect(await failure(there.generateStream("the", { signal })[Symbol.asyncIterator]().next())).toBe(
      reason,
    );
  });
});

describe("an error", () => {
  it("comes back as what it was thrown as", async () => {
    const unknown = await failure(there.score("Ω"));
    expect(unknown).toBeInstanceOf(DataError);
    const thrown = await failure((async () => here.score("Ω"))());
    expect(unknown!.message).toBe(thrown!.message);
    expect((unknown as DataError).hint).toBe((thrown as DataError).hint);
    expect(await failure(LanguageModelWorker.train(source, { epochs: 0 }))).toBeInstanceOf(OptionError);
    expect(await failure(there.generateStream("Ω")[Symbol.asyncIterator]().next())).toBeInstanceOf(DataError);
  });

  it("brings its cause, whatever it is", () => {
    const error = new EngineError("engine: x", { hint: "y", cause: new RangeError("z", { cause: "w" }) });
    const { message, hint, cause, name, stack } = receiveError(
      structuredClone(sendError(error)),
    ) as EngineError;
    expect({ message, hint, name, stack }).toEqual({
      message: "engine: x\nhint: y",
      hint: "y",
      name: "EngineError",
      stack: error.stack,
    });
    expect(String(cause)).toBe("RangeError: z");
    expect(String((cause as Error).cause)).toBe("Error: w");
  });

  it("says that the worker is closed, to calls that wait and to those that come", async () => {
    const lm = await LanguageModelWorker.load(here.files());
    const waiting = failure(lm.evaluate(source));
    await lm.close();
    expect(await waiting).toBeInstanceOf(UsageError);
    expect(await failure(lm.score("the"))).toBeInstanceOf(UsageError);
  });
});
