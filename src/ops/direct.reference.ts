/** How the direct connections find their weights, see assembly/direct.ts. */

/** MurmurHash3's finalizer. */
export function mix(h: number): number {
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Where the weights of the n-grams before row r stand, for each order: key 0 for classes, c + 1 for the words of c. */
export function places(
  { direct, hashes }: Record<"direct" | "hashes", Float64Array>,
  r: number,
  R: number,
  key: number,
  outputs: number,
): number[] {
  const orders = hashes.length / R;
  const found: number[] = [];
  for (let k = 0; k < orders; k++) {
    const hash = hashes[r * orders + k]!;
    if (hash === 0) break;
    const mixed = mix((hash + Math.imul(key, 0x9e3779b1)) >>> 0);
    found.push(Number((BigInt(mixed) * BigInt(direct.length - outputs + 1)) >> 32n));
  }
  return found;
}
