import { expect, it } from "vitest";
import { Generator } from "../tensor/random.ts";
import { characterErrorRate, wordErrorRate } from "./error-rate.ts";

it("counts words as jiwer does", () => {
  const { alignments, ...scores } = wordErrorRate(
    ["hello world", "i like monthy python"],
    ["hello duck", "i like python"],
  );
  expect(scores).toEqual({
    rate: 2 / 6,
    matchErrorRate: 2 / 6,
    informationPreserved: (4 / 6) * (4 / 5),
    informationLost: 1 - (4 / 6) * (4 / 5),
    ...{ hits: 4, substitutions: 1, deletions: 1, insertions: 0 },
  });
  expect(alignments).toEqual([
    [
      { kind: "equal", reference: [0, 1], hypothesis: [0, 1] },
      { kind: "substitute", reference: [1, 2], hypothesis: [1, 2] },
    ],
    [
      { kind: "equal", reference: [0, 2], hypothesis: [0, 2] },
      { kind: "delete", reference: [2, 3], hypothesis: [2, 2] },
      { kind: "equal", reference: [3, 4], hypothesis: [2, 3] },
    ],
  ]);
});

it("counts characters, the blanks between words among them", () => {
  const { rate, substitutions, deletions } = characterErrorRate(
    ["i can spell", "i hope"],
    ["i kan cpell", "i hop"],
  );
  expect({ rate, substitutions, deletions }).toEqual({ rate: 3 / 17, substitutions: 2, deletions: 1 });
  expect(characterErrorRate(" a𝄞b ", "a𝄞").rate).toBe(1 / 3);
});

it("takes an empty reference: what is said is inserted", () => {
  expect(wordErrorRate("", "")).toMatchObject({
    rate: 0,
    matchErrorRate: 0,
    informationLost: 0,
    alignments: [[]],
  });
  expect(wordErrorRate(" ", "three words more")).toMatchObject({ rate: 3, matchErrorRate: 1, insertions: 3 });
  expect(wordErrorRate(["", "a b"], ["x", "a b"])).toMatchObject({ rate: 1 / 2, hits: 2 });
  expect(wordErrorRate("a b", "")).toMatchObject({ rate: 1, deletions: 2, informationLost: 1 });
});

it("finds the fewest edits, and an alignment that makes the one of the other", () => {
  const generator = new Generator(3);
  const draw = () => Array.from({ length: generator.below(7) }, () => "abc"[generator.below(3)]!);
  const distance = (a: string[], b: string[]): number => {
    if (a.length === 0 || b.length === 0) return a.length + b.length;
    const [c, d] = [a.slice(1), b.slice(1)];
    return a[0] === b[0] ? distance(c, d) : 1 + Math.min(distance(c, d), distance(a, d), distance(c, b));
  };
  for (let i = 0; i < 200; i++) {
    const [reference, hypothesis] = [draw(), draw()];
    const result = wordErrorRate(reference.join(" "), hypothesis.join(" "));
    const { substitutions, deletions, insertions, alignments } = result;
    expect(substitutions + deletions + insertions).toBe(distance(reference, hypothesis));
    const made = alignments[0]!.flatMap(({ kind, reference: [a, b], hypothesis: [c, d] }) =>
      kind === "equal" ? reference.slice(a, b) : hypothesis.slice(c, d),
    );
    expect(made).toEqual(hypothesis);
  }
});

it("wants a hypothesis for each reference", () => {
  expect(() => wordErrorRate(["a", "b"], ["a"])).toThrowErrorMatchingInlineSnapshot(
    `[DataError: wordErrorRate: needs a hypothesis for each of 2 references, got 1]`,
  );
  expect(() => characterErrorRate("a", ["a", "b"])).toThrow(
    "characterErrorRate: needs a hypothesis for each of 1",
  );
});
