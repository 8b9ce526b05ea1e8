/** Perplexity e^loss, of a mean cross-entropy in nats. */
export function perplexity(loss: number): number {
  return Math.exp(loss);
}

/** The same in bits: loss / ln 2. */
export function bitsPerToken(loss: number): number {
  return loss / Math.LN2;
}
