import { DataError, NumericError, OptionError } from "../../errors.ts";
import type { CtcLanguageModel } from "./language-model.ts";
import type { Lexicon } from "./lexicon.ts";
import { Best, type Candidate, logAdd, Prefix } from "./prefix.ts";

export interface CtcDecodingOptions {
  /** How each label is spelt, e.g. `["", "a", "b", " "]`; the blank's place is not looked at. */
  alphabet: readonly string[];
  /** The label of no label; 0 by default. */
  blank?: number | undefined;
  /** How many prefixes are kept after each frame; 50 by default. */
  beam?: number | undefined;
  /** What stands between words; a blank character by default. An alphabet without it has no words. */
  separator?: string | undefined;
  languageModel?: CtcLanguageModel | undefined;
  /** What the language model's logarithms are multiplied by; 1 by default. */
  weight?: number | undefined;
  /** Added for each word, or each label if that is the language model's unit; 0 by default. */
  insertionBonus?: number | undefined;
  /** The only words there are. */
  lexicon?: Lexicon | undefined;
}

export interface CtcHypothesis {
  labels: number[];
  text: string;
  /** What it is ranked by: logProbability + weight · ln P(language) + insertionBonus · units. */
  score: number;
  /** ln P(labels | frames), summed over the paths that stayed in the beam. */
  logProbability: number;
  /** Whether its last word is one of the lexicon's; those whose is not come last. */
  complete: boolean;
}

type Node = Prefix<unknown>;
const NOTHING = Number.NEGATIVE_INFINITY;

/**
 * Prefix beam search (Graves and Jaitly 2014, Algorithm 1), frame by frame. All paths that collapse to the same labelling
 * are added up; the paper's transition Pr(k | y), here the language model, depends on the labelling alone, and so is kept
 * beside the sums, not in them.
 */
export class CtcBeamSearch {
  readonly #options: CtcDecodingOptions;
  readonly #blank: number;
  readonly #size: number;
  readonly #separator: number;
  readonly #weight: number;
  readonly #bonus: number;
  #beam: Node[];
  /** By label, whether the prefix at hand has such a child in the beam. */
  readonly #children: boolean[];
  #frames = 0;

  constructor(options: CtcDecodingOptions) {
    const { alphabet, blank = 0, beam = 50, separator = " ", languageModel } = options;
    const { weight = 1, insertionBonus = 0 } = options;
    if (!(blank in alphabet)) {
      throw new OptionError(`ctcBeamSearch: blank must be from 0 to ${alphabet.length - 1}, got ${blank}`);
    }
    if (!Number.isInteger(beam) || beam < 1) {
      throw new OptionError(`ctcBeamSearch: beam must be a whole number from 1 up, got ${beam}`);
    }
    if (!(weight >= 0 && weight < Number.POSITIVE_INFINITY) || !Number.isFinite(insertionBonus)) {
      throw new OptionError(
        `ctcBeamSearch: weight must be from 0 up and insertionBonus finite, got ${weight} and ${insertionBonus}`,
      );
    }
    this.#options = options;
    this.#blank = blank;
    this.#size = beam;
    this.#separator = alphabet.findIndex((text, label) => label !== blank && text === separator);
    if (this.#separator < 0 && languageModel?.unit === "word") {
      throw new OptionError("ctcBeamSearch: a language model of words needs a separator in the alphabet");
    }
    this.#weight = weight;
    this.#bonus = insertionBonus;
    const root: Node = new Prefix(undefined, -1);
    root.blank = 0;
    root.total = 0;
    root.inBeam = true;
    root.state = languageModel?.model.start;
    root.wordStart = root;
    this.#beam = [root];
    this.#children = new Array(alphabet.length).fill(false);
  }

  /** Goes on by one frame: ln P of every label, V of them from `at` on. */
  push(logProbs: ArrayLike<number>, at = 0): void {
    const classes = this.#options.alphabet.length;
    if (at + classes > logProbs.length) {
      throw new DataError(`ctcBeamSearch: a frame must be ${classes} numbers, got ${logProbs.length - at}`);
    }
    for (let k = 0; k < classes; k++) {
      if (!(logProbs[at + k]! < Number.POSITIVE_INFINITY)) {
        throw new NumericError(
          `ctcBeamSearch: log-probabilities must be finite or −∞, got ${logProbs[at + k]} in frame ${this.#frames}`,
        );
      }
    }
    const best = new Best<unknown>(this.#size);
    for (const prefix of this.#beam) {
      const { parent, label } = prefix;
      prefix.nextBlank = prefix.total + logProbs[at + this.#blank]!;
      prefix.nextNonBlank = label < 0 ? NOTHING : prefix.nonBlank + logProbs[at + label]!;
      if (parent?.inBeam) {
        const arriving = (label === parent.label ? parent.blank : parent.total) + logProbs[at + label]!;
        prefix.nextNonBlank = logAdd(prefix.nextNonBlank, arriving);
      }
      best.offer(logAdd(prefix.nextBlank, prefix.nextNonBlank) + prefix.language, prefix);
    }
    this.#prepare(logProbs, at, best.threshold);
    for (const prefix of this.#beam) this.#extend(prefix, logProbs, at, best);
    const before = this.#beam;
    for (const prefix of before) prefix.inBeam = false;
    this.#beam = best.take().map((one) => (one.label < 0 ? one.prefix : this.#create(one)));
    for (const prefix of this.#beam) {
      prefix.blank = prefix.nextBlank;
      prefix.nonBlank = prefix.nextNonBlank;
      prefix.total = logAdd(prefix.blank, prefix.nonBlank);
      prefix.inBeam = true;
    }
    for (const prefix of before) prefix.release();
    this.#frames++;
  }

  /** What a continuation is ranked by, at the most: a language model only takes away. */
  #most(prefix: Node): number {
    return prefix.language + Math.max(0, this.#bonus);
  }

  /** Tells the language model which prefixes it may be asked about, those that are good enough without it. */
  #prepare(logProbs: ArrayLike<number>, at: number, threshold: number): void {
    const { languageModel, alphabet } = this.#options;
    if (!languageModel?.model.prepare) return;
    let likeliest = NOTHING;
    for (let label = 0; label < alphabet.length; label++) {
      if (label === this.#blank || (languageModel.unit === "word" && label !== this.#separator)) continue;
      likeliest = Math.max(likeliest, logProbs[at + label]!);
    }
    const asked = this.#beam.filter((one) => one.total + likeliest + this.#most(one) > threshold);
    languageModel.model.prepare(asked.map(({ state }) => state));
  }

  /** Offers a prefix's continuations, but for those that are in the beam and have had it added. */
  #extend(prefix: Node, logProbs: ArrayLike<number>, at: number, best: Best<unknown>): void {
    const children = this.#children;
    const { lexicon } = this.#options;
    // What is not good enough without the language model, it need not be asked about.
    const most = this.#most(prefix);
    for (const child of prefix.children) if (child.inBeam) children[child.label] = true;
    for (let label = 0; label < children.length; label++) {
      if (label === this.#blank || children[label]) continue;
      const nonBlank = (label === prefix.label ? prefix.blank : prefix.total) + logProbs[at + label]!;
      if (!(nonBlank + most > best.threshold)) continue;
      if (lexicon && !this.#fits(lexicon, prefix, label)) continue;
      best.offer(nonBlank + prefix.language + this.#transition(prefix, label), prefix, label, nonBlank);
    }
    for (const child of prefix.children) children[child.label] = false;
  }

  #fits(lexicon: Lexicon, { node }: Node, label: number): boolean {
    return label === this.#separator ? lexicon.isWord(node) : lexicon.step(node, label) >= 0;
  }

  /** What a label adds to the prefix's `language`: a unit that it completes, if it does. */
  #transition(prefix: Node, label: number): number {
    const { languageModel, alphabet } = this.#options;
    const byLabel = languageModel?.unit === "label";
    if (!byLabel && (label !== this.#separator || prefix.wordStart === prefix)) return 0;
    if (!languageModel) return this.#bonus;
    prefix.transitions ??= new Float64Array(alphabet.length).fill(Number.NaN);
    if (Number.isNaN(prefix.transitions[label]!)) {
      const unit = byLabel ? alphabet[label]! : this.#word(prefix);
      languageModel.model.step(prefix.state, languageModel.tokenOf(unit));
      prefix.transitions[label] = this.#weight * languageModel.model.logProb + this.#bonus;
    }
    return prefix.transitions[label]!;
  }

  #word(prefix: Node): string {
    return this.#text(prefix.labels(prefix.wordStart));
  }

  #text(labels: readonly number[]): string {
    return labels.map((label) => this.#options.alphabet[label]!).join("");
  }

  /** The prefix of a continuation that was chosen; it is there already if something longer is in the beam. */
  #create({ prefix: parent, label, nonBlank }: Candidate<unknown>): Node {
    let child = parent.children.find((one) => one.label === label);
    if (!child) {
      child = new Prefix(parent, label);
      this.#describe(child, parent);
    }
    child.nextBlank = NOTHING;
    child.nextNonBlank = nonBlank;
    return child;
  }

  #describe(child: Node, parent: Node): void {
    const { languageModel, lexicon, alphabet } = this.#options;
    const { label } = child;
    const ends = label === this.#separator;
    child.language = parent.language + this.#transition(parent, label);
    child.node = lexicon && !ends ? lexicon.step(parent.node, label) : 0;
    child.wordStart = ends ? child : parent.wordStart;
    child.state = parent.state;
    if (languageModel?.unit === "label") {
      child.state = languageModel.model.step(parent.state, languageModel.tokenOf(alphabet[label]!));
    } else if (languageModel && ends) child.state = this.#stateAtEnd(parent, languageModel);
  }

  /** The n best so far, as if the sound ended here. */
  hypotheses(n = 1): CtcHypothesis[] {
    this.#prepareEndings();
    return this.#beam
      .map((prefix) => {
        const labels = prefix.labels();
        const complete =
          !this.#options.lexicon || prefix.node === 0 || this.#options.lexicon.isWord(prefix.node);
        const score = prefix.total + prefix.language + this.#ending(prefix);
        return { labels, text: this.#text(labels), score, logProbability: prefix.total, complete };
      })
      .sort((a, b) => Number(b.complete) - Number(a.complete) || b.score - a.score)
      .slice(0, n);
  }

  #prepareEndings(): void {
    const { languageModel } = this.#options;
    if (!languageModel?.model.prepare) return;
    languageModel.model.prepare(this.#beam.map(({ state }) => state));
    if (languageModel.end === undefined) return;
    languageModel.model.prepare(this.#beam.map((one) => this.#stateAtEnd(one, languageModel)));
  }

  /** The language model's state after the last word too, whose end is that of the sound, or a separator. */
  #stateAtEnd(prefix: Node, { model, unit, tokenOf }: CtcLanguageModel): unknown {
    if (unit === "label" || prefix.wordStart === prefix) return prefix.state;
    prefix.ended ??= model.step(prefix.state, tokenOf(this.#word(prefix)));
    return prefix.ended;
  }

  /** What the end adds: the last word's, and that of the sentence. */
  #ending(prefix: Node): number {
    const { languageModel } = this.#options;
    const byWord = languageModel?.unit !== "label";
    const gain = byWord && this.#separator >= 0 ? this.#transition(prefix, this.#separator) : 0;
    if (languageModel?.end === undefined) return gain;
    const { model } = languageModel;
    model.step(this.#stateAtEnd(prefix, languageModel), languageModel.end);
    return gain + this.#weight * model.logProb;
  }
}

/** The n best labellings of frames [T, V] of log-probabilities, one row after the other. */
export function ctcBeamSearch(
  logProbs: ArrayLike<number>,
  options: CtcDecodingOptions,
  n = 1,
): CtcHypothesis[] {
  const classes = options.alphabet.length;
  const search = new CtcBeamSearch(options);
  for (let at = 0; at < logProbs.length; at += classes) search.push(logProbs, at);
  return search.hypotheses(n);
}
