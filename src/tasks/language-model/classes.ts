/**
 * Words in classes of about equal mass: the words' counts, or their square roots, add up to a c-th of the total
 * (Mikolov et al. 2011; the toolkit's `-old-classes`, and its default). Gives the first word of each class. Words stand
 * in the order of their frequency or nearly so; of a few of the most frequent there are fewer classes than asked for.
 */
export function binWords(
  counts: ArrayLike<number>,
  classes: number,
  binning: "frequency" | "sqrt-frequency",
): number[] {
  const mass = (word: number) => (binning === "frequency" ? counts[word]! : Math.sqrt(counts[word]!));
  let total = 0;
  for (let word = 0; word < counts.length; word++) total += mass(word);
  const first: number[] = [];
  let sum = 0;
  let full = true;
  for (let word = 0; word < counts.length; word++) {
    if (full) first.push(word);
    sum += mass(word);
    full = first.length < classes && sum > (first.length / classes) * total;
  }
  return first;
}
