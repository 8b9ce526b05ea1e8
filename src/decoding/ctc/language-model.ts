/**
 * A model that says what comes next, asked one token at a time; an n-gram table is one. States are whatever the model
 * takes for what came before; they are kept and gone on from in any order.
 */
export interface TransitionModel<State = unknown> {
  /** The state before the first token. */
  readonly start: State;
  /** The state after a token; `logProb` is then what the token had in the state before. */
  step(state: State, token: number): State;
  /** ln P of the token that `step` took last. */
  readonly logProb: number;
  /** Told which states `step` will soon be asked to go on from, for a model that is faster at many at once. */
  prepare?(states: readonly State[]): void;
}

/** How a decoder asks a language model. */
export interface CtcLanguageModel<State = unknown> {
  model: TransitionModel<State>;
  /** What its tokens are: words, which end at the separator, or labels. */
  unit: "word" | "label";
  /** The token of a word, or of a label as the alphabet spells it; an unknown word's is the model's to choose. */
  tokenOf(text: string): number;
  /** The token that ends a sentence; left out, the end costs nothing. */
  end?: number | undefined;
}
