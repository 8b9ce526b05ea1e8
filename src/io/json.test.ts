import { expect, it } from "vitest";
import { FormatError } from "../errors.ts";
import { parseJson } from "./json.ts";

it("reads what JSON.parse reads, objects as Maps", () => {
  const text = ' {"a":[1,-2.5e3,true,false,null,"\\u00e9\\n\\"x\\\\"] , "b" : {} ,"__proto__":[] }\r\n';
  expect(parseJson(text, "test")).toEqual(
    new Map<string, unknown>([
      ["a", [1, -2500, true, false, null, 'é\n"x\\']],
      ["b", new Map()],
      ["__proto__", []],
    ]),
  );
});

it.each([
  "",
  "{",
  "[1,]",
  "[1 2]",
  '{"a"}',
  '{"a":}',
  "{a:1}",
  '{"a":1,}',
  '"open',
  '"open\\"',
  '"\\x"',
  '"\n"',
  "01",
  "1.",
  "+1",
  "-",
  "nul",
  "NaN",
  "'a'",
])("refuses %j", (text) => {
  expect(() => parseJson(text, "test")).toThrow(FormatError);
});

it("says what is wrong and where", () => {
  const error = (text: string) => {
    try {
      parseJson(text, "config.json", 2);
    } catch (error) {
      return (error as Error).message;
    }
    return undefined;
  };
  expect(error('{"a":1,"a":2}')).toMatchInlineSnapshot(
    `"config.json has the key "a" twice, at character 10"`,
  );
  expect(error("[[[[1]]]]")).toMatchInlineSnapshot(
    `"config.json nests deeper than 2 levels, at character 3"`,
  );
  expect(error("[1] 2")).toMatchInlineSnapshot(`"config.json has something after its end, at character 4"`);
  expect(error("[1;2]")).toMatchInlineSnapshot(`"config.json is not JSON, at character 1"`);
});

it("takes long strings and numbers without exhausting a stack", () => {
  expect(parseJson(JSON.stringify("x\\".repeat(2_000_000)), "test")).toHaveLength(4_000_000);
  expect(parseJson("1".repeat(4_000_000), "test")).toBe(Number.POSITIVE_INFINITY);
  expect(() => parseJson("[".repeat(1_000_000), "test")).toThrow(FormatError);
});
