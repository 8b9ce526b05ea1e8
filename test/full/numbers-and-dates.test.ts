/** The recipe numbers-and-dates for four epochs instead of eight: a stranger's command lines, and what they come to. */
import { expect, it } from "vitest";
import { recipeRun } from "./recipe-run.ts";

const { at, run } = recipeRun();

it("translates numbers and dates that it has not seen", () => {
  const data = at("numbers-and-dates");
  run("recipes/translation/numbers-and-dates/pairs.mjs", data);
  const model = at("model");
  const recipe = ["--recipe", "numbers-and-dates", "--data", at()];
  run("dist/cli/main.js", "train", "translation", ...recipe, "--epochs", "4", "--out", model, "--json");
  const test = [
    "--source",
    at("numbers-and-dates", "test.en"),
    "--reference",
    at("numbers-and-dates", "test.zh"),
  ];
  const { sentences, exact } = JSON.parse(run("dist/cli/main.js", "evaluate", model, ...test, "--json"));
  expect(sentences).toBe(1000);
  expect(exact).toBeGreaterThan(0.9);
});
