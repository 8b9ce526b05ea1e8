/** Entries that are remembered, and the longest text of one. */
const MOST = 2 ** 16;
const LONGEST = 256;

/** A function of words that remembers what it made of those it was given. */
export function remember<T>(make: (word: string) => T): (word: string) => T {
  const known = new Map<string, T>();
  return (word) => {
    const before = known.get(word);
    if (before !== undefined) return before;
    const made = make(word);
    if (word.length <= LONGEST) {
      if (known.size >= MOST) known.clear();
      known.set(word, made);
    }
    return made;
  };
}
