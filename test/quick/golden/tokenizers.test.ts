import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { BpeTokenizer, trainBpe } from "../../../src/data/index.ts";

interface Golden {
  corpus: string;
  models: Record<string, { merges: [string, string][] }>;
  texts: string[];
  cases: {
    name: string;
    model: string;
    own: object;
    parts: object;
    results: { tokens: number[]; text: string }[];
  }[];
}

const file = new URL("../../golden/tokenizers.json", import.meta.url);
const { corpus, models, texts, cases } = JSON.parse(readFileSync(file, "utf8")) as Golden;

describe("sub-words are Hugging Face's", () => {
  it.each(cases)("$name", ({ name, model, own, parts, results }) => {
    const tokenizer = new BpeTokenizer({ ...parts, model: { ...models[model], ...own } }, name);
    for (const [i, { tokens, text }] of results.entries()) {
      expect([...tokenizer.encode(texts[i]!)], texts[i]).toEqual(tokens);
      expect(tokenizer.decode(tokens), texts[i]).toBe(text);
      const decoder = tokenizer.decoder();
      const pieces = tokens.map((token) => decoder.push(token));
      expect(pieces.join("") + decoder.end(), texts[i]).toBe(text);
    }
    const again = new BpeTokenizer(JSON.parse(JSON.stringify(tokenizer)));
    expect(again.encode(texts[2]!)).toEqual(tokenizer.encode(texts[2]!));
  });

  it("and so is what is learnt, to the last merge", () => {
    const { model } = trainBpe([corpus], { vocabularySize: 10_000, minFrequency: 0 }).toJSON() as unknown as {
      model: { merges: [string, string][] };
    };
    expect(model.merges.length).toBeGreaterThan(250);
    expect(model.merges).toEqual(models.bytes!.merges);
  });
});
