import { readFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import * as kernels from "#kernels";
import { PRODUCT_SCRATCH } from "./control.ts";
import { getEngine, use } from "./engine.ts";
import type { Family } from "./generated/abi.ts";
import { selfChecks } from "./self-check.ts";
// The ops bring the checks of their families.
import "../ops/index.ts";

const run = use(...Object.values(kernels));

const engine = getEngine();
const real = { ...selfChecks };
afterEach(() => {
  for (const family of Object.keys(selfChecks) as Family[]) delete selfChecks[family];
  Object.assign(selfChecks, real);
  engine.demoted.clear();
});

it.skipIf(engine.build === "plain")("a build that fails its check makes way for the plain one", () => {
  let checks = 0;
  selfChecks.memory = () => ++checks > 1;
  const out = engine.memory.allocate(400);
  run("fill", { out, value: 3 }, 100);
  expect(checks).toBe(2);
  expect([...engine.demoted]).toEqual(["memory"]);
  expect(engine.memory.f32(out, 100).every((v) => v === 3)).toBe(true);
});

it("a family that no build gets right is refused, each time", () => {
  selfChecks.reduce = () => false;
  const attempt = () => run("norm", { partials: 0, count: 0, out: engine.memory.allocate(4) });
  expect(attempt).toThrowErrorMatchingInlineSnapshot(`
    [EngineError: engine: the reduce kernels give wrong results on this machine
    hint: run \`unrolled doctor\` and report what it prints]
  `);
  expect(attempt).toThrow("wrong results");
});

describe("the checks", () => {
  it.each(Object.keys(real) as Family[])("%s is right on this machine", (family) => {
    expect(selfChecks[family]!(engine)).toBe(true);
    expect(engine.demoted.has(family)).toBe(false);
  });

  it("the scratch of a product is as large as the kernels say", () => {
    const source = readFileSync(new URL("../../assembly/gemm.ts", import.meta.url), "utf8");
    const value = (name: string) => Number(source.match(new RegExp(`const ${name}: i32 = (\\d+);`))![1]);
    expect(PRODUCT_SCRATCH).toBe(4 * (value("MC") * value("KC") + value("ROWS") * 16));
  });
});
