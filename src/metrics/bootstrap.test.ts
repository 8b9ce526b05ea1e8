import { expect, it } from "vitest";
import { Generator } from "../tensor/random.ts";
import { BLEU } from "./bleu.ts";
import { bootstrap, pairedBootstrap } from "./bootstrap.ts";
import { TER } from "./ter.ts";

const random = new Generator(3);
const words = "a small dog runs over the green grass of our old park today".split(" ");
const reference = Array.from({ length: 200 }, () =>
  Array.from({ length: 12 }, () => words[random.below(words.length)]!).join(" "),
);
/** The references with a part of their words replaced. */
const spoilt = (part: number) =>
  reference.map((line) => line.replace(/\w+/g, (word) => (random.uniform() < part ? "x" : word)));

it("the range holds the score, and is narrower for more sentences", () => {
  const system = spoilt(0.2);
  const { score } = new BLEU().corpusScore(system, [reference]);
  const all = bootstrap(new BLEU(), system, [reference], { samples: 300 });
  expect(Math.abs(all.mean - score)).toBeLessThan(all.halfWidth);
  const few = bootstrap(new BLEU(), system.slice(0, 50), [reference.slice(0, 50)], { samples: 300 });
  expect(few.halfWidth / all.halfWidth).toBeGreaterThan(1.5);
  expect(few.halfWidth / all.halfWidth).toBeLessThan(2.7);
  expect(bootstrap(new BLEU(), system, [reference], { samples: 300 })).toEqual(all);
  expect(bootstrap(new BLEU(), system, [reference], { samples: 300, seed: 2 })).not.toEqual(all);
});

it("tells a better system from a like one", () => {
  const [one, like, better] = [spoilt(0.2), spoilt(0.2), spoilt(0.1)];
  const p = (system: string[]) =>
    pairedBootstrap(new BLEU(), one, system, [reference], { samples: 400 }).pValue;
  expect(p(better)).toBeLessThan(0.01);
  expect(p(like)).toBeGreaterThan(0.05);
  const ter = pairedBootstrap(new TER(), one, better, [reference], { samples: 100 });
  expect(ter.system.score).toBeLessThan(ter.baseline.score);
  expect(ter.pValue).toBeLessThan(0.05);
});

it("refuses too few samples", () => {
  expect(() => bootstrap(new BLEU(), ["a"], [["a"]], { samples: 1 })).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: bootstrap: samples must be a whole number from 2 to 1000000, got 1]`,
  );
});
