import * as v from "valibot";
import { expect, it } from "vitest";
import { checkOptions, functionOf, numberIn, oneOf, recordOf, text, wholeNumber } from "./options.ts";

const schema = recordOf({
  name: text(),
  hiddenSize: v.optional(wholeNumber(1, 65536), 128),
  cell: v.optional(oneOf(["rnn", "lstm", "gru"]), "lstm"),
  dropout: v.optional(numberIn({ from: 0, below: 1 }), 0),
  clip: v.optional(numberIn({ above: 0 })),
  onProgress: v.optional(functionOf<() => void>()),
});

function problem(options: unknown): string {
  try {
    checkOptions("train", schema, options);
  } catch (error) {
    return String(error);
  }
  return "none";
}

it("options come back with their defaults", () => {
  expect(checkOptions("train", schema, { name: "a", cell: undefined })).toEqual({
    name: "a",
    hiddenSize: 128,
    cell: "lstm",
    dropout: 0,
  });
});

it("what is wrong says what is allowed", () => {
  const name = "a";
  expect(
    [
      undefined,
      {},
      { name: 7 },
      { name, hiddenSize: 0 },
      { name, hiddenSize: 1.5 },
      { name, hiddenSize: "big" },
      { name, cell: "ltsm" },
      { name, dropout: 1 },
      { name, dropout: Number.NaN },
      { name, clip: 0 },
      { name, onProgress: true },
      { name, hidenSize: 3 },
      { name, numLayer: 3 },
    ].map(problem),
  ).toMatchInlineSnapshot(`
    [
      "OptionError: train: must be an object, got nothing",
      "OptionError: train: name is missing",
      "OptionError: train: name must be a string, got 7",
      "OptionError: train: hiddenSize must be a whole number from 1 to 65536, got 0",
      "OptionError: train: hiddenSize must be a whole number from 1 to 65536, got 1.5",
      "OptionError: train: hiddenSize must be a whole number from 1 to 65536, got "big"",
      "OptionError: train: cell must be rnn, lstm or gru, got "ltsm"",
      "OptionError: train: dropout must be a number 0 or more and below 1, got 1",
      "OptionError: train: dropout must be a number 0 or more and below 1, got NaN",
      "OptionError: train: clip must be a number above 0, got 0",
      "OptionError: train: onProgress must be a function, got true",
      "OptionError: train: hidenSize is not known (did you mean hiddenSize?)",
      "OptionError: train: numLayer is not known (known are name, hiddenSize, cell, dropout, clip, onProgress)",
    ]
  `);
});
