import type { Tokenizer } from "../../data/text/tokenizer.ts";
import { OptionError } from "../../errors.ts";

interface Vocabulary {
  unit: string;
  split?: string;
  lowercase?: boolean;
  names: readonly string[];
}

function vocabularyOf(tokenizer: Tokenizer): Vocabulary {
  const { unit, split, lowercase } = tokenizer.toJSON() as Omit<Vocabulary, "names">;
  const names = Array.from({ length: tokenizer.size }, (_, token) => tokenizer.name(token));
  return {
    unit,
    ...(split !== undefined && { split }),
    ...(lowercase !== undefined && { lowercase }),
    names,
  };
}

/** Refuses models that take the same text for other tokens: their probabilities are not of the same things. */
export function checkSameTokens(tokenizers: readonly Tokenizer[], names: readonly string[]): void {
  const [first, ...others] = tokenizers.map(vocabularyOf);
  others.forEach((other, i) => {
    const difference = differenceOf(first!, other, [names[0]!, names[i + 1]!]);
    if (difference === undefined) return;
    throw new OptionError(`${names[i + 1]}: has other tokens than ${names[0]}: ${difference}`, {
      hint: "an n-gram model takes a model's vocabulary by --vocabulary-from, or `tokenizer`",
    });
  });
}

function differenceOf(a: Vocabulary, b: Vocabulary, names: readonly [string, string]): string | undefined {
  for (const key of ["unit", "split", "lowercase"] as const) {
    if (a[key] !== b[key]) return `${key} ${b[key]} instead of ${a[key]}`;
  }
  const only = (from: Vocabulary, others: Vocabulary, name: string) => {
    const known = new Set(others.names);
    const alone = from.names.filter((name) => !known.has(name));
    const some = alone.slice(0, 3).map((one) => JSON.stringify(one));
    const more = alone.length > 3 ? " …" : "";
    return alone.length === 0 ? [] : [`${alone.length} only in ${name}: ${some.join(" ")}${more}`];
  };
  return [...only(a, b, names[0]), ...only(b, a, names[1])].join("; ") || undefined;
}
