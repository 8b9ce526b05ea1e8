/** A line longer than this is cut at a blank, or anywhere if it has none: a text may have no line breaks at all. */
const LONGEST = 2 ** 22;

/**
 * Holds text back until its line is whole, so that the pieces of a text end where lines do: no word, no mark and no
 * rule that looks at the letters around one is cut.
 */
export class WholeLines {
  readonly #longest: number;
  #held = "";
  /** Whether the text given out so far ends inside a line. */
  #open = false;

  constructor(longest = LONGEST) {
    this.#longest = longest;
  }

  /** The lines that are whole now; perhaps none. */
  push(text: string): string {
    const all = this.#held + text;
    let cut = text.lastIndexOf("\n") + 1;
    if (cut > 0) cut += this.#held.length;
    else if (all.length > this.#longest) cut = all.lastIndexOf(" ") + 1 || all.length;
    this.#held = all.slice(cut);
    return this.#out(all.slice(0, cut));
  }

  /** Ends the line that a file ends in, so that the next file begins one. */
  breakLine(): string {
    return this.#held !== "" || this.#open ? this.push("\n") : "";
  }

  end(): string {
    const rest = this.#held;
    this.#held = "";
    return this.#out(rest);
  }

  #out(piece: string): string {
    if (piece !== "") this.#open = !piece.endsWith("\n");
    return piece;
  }
}
