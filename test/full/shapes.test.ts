/** The recipe shapes, its first 1,200 of 16,000 steps: a stranger's command lines, and what they come to. */
import { expect, it } from "vitest";
import { recipeRun } from "./recipe-run.ts";

const { at, run } = recipeRun();

it("says what stands where in images of combinations that it has not seen", () => {
  const data = at("shapes");
  run("recipes/captioning/shapes/draw.mjs", data);
  const model = at("model");
  const recipe = ["--recipe", "shapes", "--data", at(), "--epochs", "1", "--max-steps", "1200"];
  run("dist/cli/main.js", "train", "captioning", ...recipe, "--out", model, "--json");
  const test = [
    "--captions",
    at("shapes", "captions.json"),
    "--features",
    at("shapes", "pixels.safetensors"),
  ];
  const found = JSON.parse(run("dist/cli/main.js", "evaluate", model, ...test, "--json"));
  expect(found.images).toBe(1000);
  // Who does not look says the same of all images: a CIDEr-D of 161, a BLEU-1 of 60.
  expect(found.cider).toBeGreaterThan(330);
  expect(found.bleu[0]).toBeGreaterThan(80);
  const [one] = JSON.parse(
    `[${run("dist/cli/main.js", "caption", model, at("shapes", "test/test-0000.png"), "--json")}]`,
  );
  expect(one.text).toMatch(
    /^a (small|large) \w+ \w+ (left of|right of|above|below) a (small|large) \w+ \w+$/,
  );
});
