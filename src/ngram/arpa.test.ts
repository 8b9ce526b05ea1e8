import { describe, expect, it } from "vitest";
import { problem } from "../../test/problem.ts";
import { FormatError } from "../errors.ts";
import { Generator } from "../tensor/random.ts";
import { readArpa } from "./arpa-read.ts";
import { arpaLines } from "./arpa-write.ts";
import { countNgrams } from "./count.ts";
import { kneserNey } from "./kneser-ney.ts";
import { NgramTable } from "./table.ts";

const V = 7;
const spelling = ["<unk>", "</s>", "a", "b", "c", "d", "e", "<s>"];

function train(order: number): NgramTable {
  const generator = new Generator(order);
  const text = Int32Array.from({ length: 500 }, () => 1 + generator.below(V - 1));
  return NgramTable.of(kneserNey(countNgrams(text, { order, vocabularySize: V, sentenceEnd: 1 })).model);
}

const columns = ({ sizes, words, first, logProbs, backoffs }: NgramTable) => ({
  sizes,
  words,
  first,
  logProbs,
  backoffs,
});

describe("ARPA", () => {
  it.each([1, 2, 3, 5])("of order %i is read as it was written, to the bit", async (order) => {
    const table = train(order);
    const { words, table: read } = await readArpa(arpaLines(table, spelling), "lm.arpa", ["<unk>", "</s>"]);
    expect([...words, "<s>"]).toEqual(spelling);
    expect(columns(read)).toEqual(columns(table));
  });

  it("may have its n-grams in any order, and lines cut anywhere between pieces", async () => {
    const table = train(3);
    const lines = [...arpaLines(table, spelling)].join("").split("\n");
    const generator = new Generator(3);
    const shuffled: string[] = [];
    let section: string[] = [];
    for (const line of lines) {
      if (/^-?\d/.test(line)) section.push(line);
      else {
        shuffled.push(...generator.shuffle(section), line);
        section = [];
      }
    }
    const { words, table: read } = await readArpa(
      [`${shuffled.join("\n")}\n`],
      "lm.arpa",
      spelling.slice(0, -1),
    );
    expect([...words, "<s>"]).toEqual(spelling);
    expect(columns(read)).toEqual(columns(table));
  });

  it("of another program: words after <s>, blanks, no <unk>, a pruned ending", async () => {
    const text = `made by hand

\\data\\
ngram  1 = 4
ngram 2=2
ngram 3=1

\\1-grams:
-99 <s> -0.3
-0.5 x -0.25
-0.6\ty\t-0.125
-0.7  </s>

\\2-grams:
-0.1 x y -0.2
-0.2 <s> x -0.4

\\3-grams:
-0.05 <s> x y

\\end\\
`;
    const { words, table } = await readArpa([text], "lm.arpa", ["<unk>", "</s>"]);
    expect(words).toEqual(["<unk>", "</s>", "x", "y"]);
    const logProbs: number[] = [];
    let state = table.start;
    for (const word of [2, 3, 1, 0]) {
      state = table.step(state, word);
      logProbs.push(table.logProb / Math.LN10);
    }
    const expected = [-0.2, -0.05, -0.2 - 0.125 - 0.7, -99];
    logProbs.forEach((logProb, i) => {
      expect(logProb).toBeCloseTo(expected[i]!, 6);
    });
  });
});

const good = [...arpaLines(train(3), spelling)].join("");

describe("a malformed ARPA file is named by its line", () => {
  const lines = good.split("\n");
  const at = (line: string) => lines.indexOf(line);
  const second = at("\\2-grams:");
  /** The file with lines from one on replaced. */
  const edited = (from: number, remove: number, ...insert: string[]) =>
    lines.toSpliced(from, remove, ...insert).join("\n");
  const header = (...counts: string[]) => ["\\data\\", ...counts, "", "\\1-grams:", "-1 a"].join("\n");
  const cases: Record<string, string> = {
    "nothing of the format": "the cat\nsat\n",
    "no counts": "\\data\\\n\n\\1-grams:\n-1 a\n\\end\\\n",
    "orders that leap": header("ngram 1=2", "ngram 3=1"),
    "a count that is none": header("ngram 1=many"),
    "a gigantic count": header("ngram 1=99999999999999"),
    "gigantic counts in all": header("ngram 1=1000000000", "ngram 2=1000000000"),
    "too many orders": header(...Array.from({ length: 21 }, (_, i) => `ngram ${i + 1}=1`)),
    "a count too low": edited(1, 1, "ngram 1=5"),
    "a missing section": edited(second, 1, "\\3-grams:"),
    truncated: lines.slice(0, second + 4).join("\n"),
    "truncated in a line": good.slice(0, good.length - 12),
    "no number": edited(second + 1, 1, "-1.x\ta b"),
    "an infinite number": edited(second + 1, 1, "-Infinity\ta b"),
    "a number too large": edited(second + 1, 1, "-1e99\ta b"),
    "a positive log-prob": edited(second + 1, 1, "0.25\ta b"),
    "an unknown word": edited(second + 1, 1, "-1\ta zebra"),
    "too few fields": edited(second + 1, 1, "-1\ta"),
    "too many fields": edited(second + 1, 1, "-1\ta b -0.5 c"),
    "a weight in the highest order": edited(lines.length - 4, 1, `${lines.at(-4)} -0.5`),
    "a bad weight": edited(second + 1, 1, "-1\ta b\tc"),
    "an n-gram twice": edited(second + 1, 2, lines[second + 1]!, lines[second + 1]!),
    "a word twice": edited(6, 2, lines[6]!, lines[6]!),
    "a beginning that is missing": edited(at("\\3-grams:") + 1, 1, "-1\t<unk> <unk> a"),
  };

  it("each in words", async () => {
    const problems: Record<string, string> = {};
    for (const [name, text] of Object.entries(cases)) {
      problems[name] = await problem(readArpa([text], "lm.arpa", ["<unk>", "</s>"]));
    }
    expect(problems).toMatchInlineSnapshot(`
      {
        "a bad weight": "FormatError: lm.arpa: line 17: the back-off weight must be a number, got "c"",
        "a beginning that is missing": "FormatError: lm.arpa: line 55: "<unk> <unk>", with which it begins, is not among the 2-grams",
        "a count that is none": "FormatError: lm.arpa: line 2: must be ngram 1=COUNT, got "ngram 1=many"",
        "a count too low": "FormatError: lm.arpa: line 16: there must be 5 1-grams before it, as the header says, got 8",
        "a gigantic count": "FormatError: lm.arpa: line 2: at most 1073741824 n-grams are read, got 99999999999999 of order 1",
        "a missing section": "FormatError: lm.arpa: line 16: must be \\2-grams:, got "\\\\3-grams:"",
        "a number too large": "FormatError: lm.arpa: line 17: log10 P must be a number, got "-1e99"",
        "a positive log-prob": "FormatError: lm.arpa: line 17: log10 P must be 0 or less, got 0.25",
        "a weight in the highest order": "FormatError: lm.arpa: line 219: must have log10 P, 3 words, got 5 fields",
        "a word twice": "FormatError: lm.arpa: line 8: "<unk>" is there already",
        "an infinite number": "FormatError: lm.arpa: line 17: log10 P must be a number, got "-Infinity"",
        "an n-gram twice": "FormatError: lm.arpa: line 18: the n-gram is there already",
        "an unknown word": "FormatError: lm.arpa: line 17: "zebra" is not among the 1-grams",
        "gigantic counts in all": "FormatError: lm.arpa: line 3: at most 1073741824 n-grams are read, got 1000000000 of order 2",
        "no counts": "FormatError: lm.arpa: line 3: \\data\\ must announce n-grams, got none",
        "no number": "FormatError: lm.arpa: line 17: log10 P must be a number, got "-1.x"",
        "nothing of the format": "FormatError: lm.arpa: has no \\data\\, with which an ARPA file begins",
        "orders that leap": "FormatError: lm.arpa: line 3: must be ngram 2=COUNT, got "ngram 3=1"",
        "too few fields": "FormatError: lm.arpa: line 17: must have log10 P, 2 words and perhaps a back-off weight, got 2 fields",
        "too many fields": "FormatError: lm.arpa: line 17: must have log10 P, 2 words and perhaps a back-off weight, got 5 fields",
        "too many orders": "FormatError: lm.arpa: line 22: orders up to 20 are read, got 21",
        "truncated": "FormatError: lm.arpa: line 19: the file ends without \\end\\
      hint: it is truncated",
        "truncated in a line": "FormatError: lm.arpa: line 219: must have log10 P, 3 words, got 2 fields",
      }
    `);
  });

  it("or read: whatever bytes change, it ends with a model or a FormatError", async () => {
    const generator = new Generator(17);
    const pieces = [
      "\\",
      "-",
      "\t",
      " ",
      "\n",
      "0",
      "9",
      "e",
      "a",
      "<s>",
      "\\end\\\n",
      "\\data\\\n",
      "ngram 2=3\n",
      "",
    ];
    let refused = 0;
    for (let i = 0; i < 400; i++) {
      let text = good;
      for (let edits = 1 + generator.below(3); edits > 0; edits--) {
        const from = generator.below(text.length);
        const to = from + generator.below(generator.below(2) ? 3 : 200);
        text = text.slice(0, from) + pieces[generator.below(pieces.length)] + text.slice(to);
      }
      try {
        const { table } = await readArpa([text], "lm.arpa");
        for (let state = table.start, word = 0; word < table.vocabularySize; word++)
          state = table.step(state, word);
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError);
        expect(String(error)).toMatch(/lm\.arpa: (line \d+: |has no )/);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(300);
    expect(refused).toBeLessThan(400);
  });
});
