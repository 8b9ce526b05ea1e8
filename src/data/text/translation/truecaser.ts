import * as v from "valibot";
import { checkContent, formatVersion, recordOf, text } from "../../../options.ts";

const ENDS = new Set([".", ":", "?", "!"]);
/** After these a sentence has yet to begin. */
const DELAYS = new Set(["(", "[", '"', "'", "&apos;", "&quot;", "&#91;", "&#93;"]);

const schema = recordOf({
  formatVersion: formatVersion(1),
  words: v.array(v.array(text()), "must be an array of spellings, the most frequent first"),
});

/**
 * Gives the first word of a sentence the capitals it has elsewhere, as Moses' truecase.perl does, so that `The` and `the`
 * are one word. Learnt from tokenized sentences, whose first words do not count.
 */
export class Truecaser {
  /** By lower case, the spellings that were seen, the most frequent first. */
  readonly #spellings: ReadonlyMap<string, readonly string[]>;

  private constructor(spellings: ReadonlyMap<string, readonly string[]>) {
    this.#spellings = spellings;
  }

  static train(sentences: Iterable<readonly string[]>): Truecaser {
    const counts = new Map<string, Map<string, number>>();
    for (const tokens of sentences) {
      let start = 0;
      while (start < tokens.length && DELAYS.has(tokens[start]!)) start++;
      for (let i = start + 1; i < tokens.length; i++) {
        if (ENDS.has(tokens[i - 1]!)) continue;
        const token = tokens[i]!;
        const ofWord = counts.get(token.toLowerCase()) ?? new Map<string, number>();
        ofWord.set(token, (ofWord.get(token) ?? 0) + 1);
        counts.set(token.toLowerCase(), ofWord);
      }
    }
    const spellings = Array.from(counts, ([word, ofWord]) => {
      const ordered = [...ofWord].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
      return [word, ordered.map(([spelling]) => spelling)] as const;
    });
    return new Truecaser(new Map(spellings));
  }

  static fromJSON(json: unknown, file = "truecaser.json"): Truecaser {
    const { words } = checkContent(file, schema, json);
    return new Truecaser(new Map(words.filter(([best]) => best).map((all) => [all[0]!.toLowerCase(), all])));
  }

  apply(tokens: readonly string[]): string[] {
    let begins = true;
    return tokens.map((token) => {
      const spellings = this.#spellings.get(token.toLowerCase());
      const known = !begins && spellings?.includes(token);
      if (ENDS.has(token)) begins = true;
      else if (!DELAYS.has(token)) begins = false;
      return known ? token : (spellings?.[0] ?? token);
    });
  }

  toJSON(): Record<string, unknown> {
    return { formatVersion: 1, words: [...this.#spellings.values()] };
  }
}

/** The way back, of a detokenized sentence: its first letter as a capital. */
export function capitalize(sentence: string): string {
  return sentence.replace(/^([\p{P}\p{S}\p{White_Space}]*)(\p{Ll})/u, (_, before: string, letter: string) => {
    return before + letter.toUpperCase();
  });
}
