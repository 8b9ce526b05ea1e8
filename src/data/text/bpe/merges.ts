import { Heap } from "./heap.ts";

/** Pairs of tokens as one number: there are at most 2²⁴ tokens. */
export const pairKey = (left: number, right: number) => left * 2 ** 24 + right;

export interface MergeRule {
  /** The earlier it was learnt, the sooner it is done. */
  rank: number;
  token: number;
}

export type MergeRules = ReadonlyMap<number, MergeRule>;

/** Up to so many symbols it is quicker to look through all pairs again for each merge than to keep them in order. */
const FEW = 32;

/** Merges the symbols of a word by the earliest rule, leftmost first, until none applies. */
export function mergeSymbols(symbols: number[], rules: MergeRules): number[] {
  return symbols.length <= FEW ? mergeFew(symbols, rules) : mergeMany(symbols, rules);
}

function mergeFew(symbols: number[], rules: MergeRules): number[] {
  for (;;) {
    let best: MergeRule | undefined;
    let place = 0;
    for (let i = 0; i + 1 < symbols.length; i++) {
      const rule = rules.get(pairKey(symbols[i]!, symbols[i + 1]!));
      if (rule && (best === undefined || rule.rank < best.rank)) [best, place] = [rule, i];
    }
    if (best === undefined) return symbols;
    symbols.splice(place, 2, best.token);
  }
}

/** A pair that may be merged; it is out of date when its left symbol has changed or gone. */
interface Candidate {
  place: number;
  left: number;
  right: number;
  rule: MergeRule;
}

function mergeMany(symbols: number[], rules: MergeRules): number[] {
  const [count, GONE] = [symbols.length, -1];
  const next = Int32Array.from(symbols, (_, i) => i + 1);
  const previous = Int32Array.from(symbols, (_, i) => i - 1);
  const heap = new Heap<Candidate>(
    (a, b) => a.rule.rank < b.rule.rank || (a.rule.rank === b.rule.rank && a.place < b.place),
  );
  const offer = (place: number) => {
    if (place < 0 || next[place]! >= count) return;
    const [left, right] = [symbols[place]!, symbols[next[place]!]!];
    const rule = rules.get(pairKey(left, right));
    if (rule) heap.push({ place, left, right, rule });
  };
  for (let i = 0; i < count; i++) offer(i);
  for (let candidate = heap.pop(); candidate; candidate = heap.pop()) {
    const { place, left, right, rule } = candidate;
    const second = next[place]!;
    if (symbols[place] !== left || second >= count || symbols[second] !== right) continue;
    symbols[place] = rule.token;
    symbols[second] = GONE;
    next[place] = next[second]!;
    if (next[place]! < count) previous[next[place]!] = place;
    offer(previous[place]!);
    offer(place);
  }
  return symbols.filter((symbol) => symbol !== GONE);
}
