import { FormatError } from "../../../errors.ts";
import { symbolOf, type TokenDecoder, type Tokenizer } from "../tokenizer.ts";
import { type AddedToken, findAdded, type Piece } from "./added-tokens.ts";
import { toBytes } from "./byte-level.ts";
import { type Decode, makeDecoder } from "./decoders.ts";
import { remember } from "./memory.ts";
import { type MergeRule, mergeSymbols, pairKey } from "./merges.ts";
import { makeNormalizer, type Normalize } from "./normalizers.ts";
import { makePreTokenizer, type PreTokenize } from "./pre-tokenizers.ts";
import { readTokenizerFile, type TokenizerFile, writeTokenizerFile } from "./tokenizer-file.ts";

/**
 * Sub-words by byte-pair encoding (Sennrich et al. 2016), described by Hugging Face's tokenizer.json and equal to it: a
 * text is normalized, cut into words, and the symbols of each word are merged. Special tokens that a post-processor would
 * put around a text are not.
 */
export class BpeTokenizer implements Tokenizer {
  readonly unit = "bpe";
  readonly lineBreak: number | undefined;
  readonly unknown: number | undefined;
  readonly #file: TokenizerFile;
  /** As they are written where they are decoded. */
  readonly #tokens: string[];
  readonly #numbers: ReadonlyMap<string, number>;
  readonly #special: ReadonlySet<number>;
  readonly #rules: ReadonlyMap<number, MergeRule>;
  readonly #tokensOfWord = remember((word) => this.#encodeWord(word));
  readonly #findRaw: ((text: string) => Piece[]) | undefined;
  readonly #findNormalized: ((text: string) => Piece[]) | undefined;
  readonly #normalize: Normalize;
  readonly #preTokenize: PreTokenize;
  readonly #decode: Decode;
  readonly #isByteLevel: boolean;

  /** Of the content of a tokenizer.json; `file` names it in an error. */
  constructor(json: unknown, file = "tokenizer.json") {
    this.#file = readTokenizerFile(json, file);
    const { model, added_tokens, normalizer, pre_tokenizer, decoder } = this.#file;
    this.#normalize = normalizer === null ? (s) => s : makeNormalizer(normalizer, `${file}: normalizer`);
    this.#preTokenize =
      pre_tokenizer === null ? (s) => [s] : makePreTokenizer(pre_tokenizer, `${file}: pre_tokenizer`);
    this.#decode =
      decoder === null ? (tokens) => [tokens.join(" ")] : makeDecoder(decoder, `${file}: decoder`);
    this.#isByteLevel = (decoder as { type?: unknown } | null)?.type === "ByteLevel";
    this.#numbers = new Map(Object.entries(model.vocab));
    // An added token that is looked for in normalized text is decoded from it too.
    this.#tokens = listTokens(model.vocab, added_tokens, file);
    for (const { id, content, normalized } of added_tokens) {
      if (normalized) this.#tokens[id] = this.#normalize(content);
    }
    this.#special = new Set(added_tokens.filter(({ special }) => special).map(({ id }) => id));
    this.#rules = makeRules(this.#file, this.#numbers, file);
    if (model.unk_token !== undefined && !this.#numbers.has(model.unk_token)) {
      throw new FormatError(
        `${file}: model.unk_token ${JSON.stringify(model.unk_token)} is not in the vocabulary`,
      );
    }
    this.unknown = model.unk_token === undefined ? undefined : this.#numbers.get(model.unk_token);
    this.#findRaw = findAdded(
      added_tokens.filter(({ normalized }) => !normalized),
      ({ content }) => content,
    );
    this.#findNormalized = findAdded(
      added_tokens.filter(({ normalized }) => normalized),
      ({ content }) => this.#normalize(content),
    );
    const lineBreak = this.encode("\n");
    this.lineBreak = lineBreak.length === 1 && lineBreak[0] !== this.unknown ? lineBreak[0] : undefined;
  }

  get size(): number {
    return this.#tokens.length;
  }

  /** The number of a token as the vocabulary writes it, e.g. that of `</s>`. */
  tokenOf(token: string): number | undefined {
    return this.#file.added_tokens.find(({ content }) => content === token)?.id ?? this.#numbers.get(token);
  }

  encode(text: string): Int32Array {
    const tokens: number[] = [];
    for (const [i, raw] of (this.#findRaw?.(text) ?? [text]).entries()) {
      if (typeof raw !== "string") {
        tokens.push(raw.id);
        continue;
      }
      const normalized = this.#normalize(raw);
      for (const [j, piece] of (this.#findNormalized?.(normalized) ?? [normalized]).entries()) {
        if (typeof piece !== "string") tokens.push(piece.id);
        else if (piece !== "") {
          for (const word of this.#preTokenize(piece, i === 0 && j === 0)) {
            for (const token of this.#tokensOfWord(word)) tokens.push(token);
          }
        }
      }
    }
    return Int32Array.from(tokens);
  }

  #encodeWord(word: string): readonly number[] {
    const whole = this.#file.model.ignore_merges ? this.#numbers.get(word) : undefined;
    return whole === undefined ? mergeSymbols(this.#symbolsOf(word), this.#rules) : [whole];
  }

  /** The characters of a word as tokens. */
  #symbolsOf(word: string): number[] {
    const {
      continuing_subword_prefix = "",
      end_of_word_suffix = "",
      fuse_unk,
      byte_fallback,
    } = this.#file.model;
    const characters = [...word];
    const symbols: number[] = [];
    let unknownBefore = false;
    for (const [i, character] of characters.entries()) {
      const symbol =
        (i > 0 ? continuing_subword_prefix : "") +
        character +
        (i === characters.length - 1 ? end_of_word_suffix : "");
      const token = this.#numbers.get(symbol);
      const bytes = token === undefined && byte_fallback ? this.#byteTokens(symbol) : undefined;
      if (token !== undefined) symbols.push(token);
      else if (bytes) symbols.push(...bytes);
      // Without a token for the unknown, such a character is left out.
      else if (this.unknown !== undefined && !(fuse_unk && unknownBefore)) symbols.push(this.unknown);
      unknownBefore = token === undefined && !bytes;
    }
    return symbols;
  }

  /** The tokens of a symbol's bytes, `<0xE5>` …, if there are such. */
  #byteTokens(symbol: string): number[] | undefined {
    const tokens: number[] = [];
    for (const byte of new TextEncoder().encode(symbol)) {
      const token = this.#numbers.get(`<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);
      if (token === undefined) return undefined;
      tokens.push(token);
    }
    return tokens;
  }

  /** Special tokens are left out. */
  decode(tokens: ArrayLike<number>): string {
    return this.#decode(
      Array.from(tokens, (token) => this.#spelling(token)).filter((s) => s !== undefined),
    ).join("");
  }

  name(token: number): string {
    return symbolOf(this.#tokens, token);
  }

  /** Of what follows a text, a blank that a first word would lose is kept. */
  decoder(after = ""): TokenDecoder {
    if (this.#isByteLevel) {
      const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
      return {
        push: (token) => utf8.decode(toBytes(this.#spelling(token) ?? ""), { stream: true }),
        end: () => utf8.decode(),
      };
    }
    return this.#piecewise(after);
  }

  /** What is certain after each token: what another token leaves as it is. */
  #piecewise(after: string): TokenDecoder {
    const spellings: string[] =
      after === "" ? [] : [...this.encode(after)].flatMap((t) => this.#spelling(t) ?? []);
    const textOf = () => this.#decode([...spellings]).join("");
    let told = textOf();
    const tell = (text: string) => {
      const piece = text.startsWith(told) ? text.slice(told.length) : "";
      if (piece !== "") told = text;
      return piece;
    };
    return {
      push: (token) => {
        spellings.push(...[this.#spelling(token)].filter((s) => s !== undefined));
        const text = textOf();
        return text.endsWith("\ufffd") ? "" : tell(text);
      },
      end: () => tell(textOf()),
    };
  }

  #spelling(token: number): string | undefined {
    const spelling = symbolOf(this.#tokens, token);
    return this.#special.has(token) ? undefined : spelling;
  }

  toJSON(): Record<string, unknown> {
    return writeTokenizerFile(this.#file);
  }
}

/** Every token by its number; there must be no gap and no two of a number. */
function listTokens(vocab: Record<string, number>, added: readonly AddedToken[], file: string): string[] {
  const tokens: string[] = [];
  for (const [token, number] of [
    ...Object.entries(vocab),
    ...added.map(({ content, id }) => [content, id] as const),
  ]) {
    if (tokens[number] !== undefined && tokens[number] !== token) {
      throw new FormatError(
        `${file}: ${JSON.stringify(tokens[number])} and ${JSON.stringify(token)} have one number, ${number}`,
      );
    }
    tokens[number] = token;
  }
  if (tokens.length === 0) throw new FormatError(`${file}: model.vocab must not be empty`);
  for (let number = 0; number < tokens.length; number++) {
    if (tokens[number] === undefined) throw new FormatError(`${file}: no token has the number ${number}`);
  }
  return tokens;
}

function makeRules({ model }: TokenizerFile, numbers: ReadonlyMap<string, number>, file: string) {
  const rules = new Map<number, MergeRule>();
  const prefix = model.continuing_subword_prefix?.length ?? 0;
  for (const [rank, [left, right]] of model.merges.entries()) {
    const [a, b, token] = [left, right, left + right.slice(prefix)].map((symbol) => {
      const number = numbers.get(symbol);
      if (number !== undefined) return number;
      throw new FormatError(
        `${file}: model.merges.${rank} needs ${JSON.stringify(symbol)}, which is not in the vocabulary`,
      );
    }) as [number, number, number];
    rules.set(pairKey(a, b), { rank, token });
  }
  return rules;
}
