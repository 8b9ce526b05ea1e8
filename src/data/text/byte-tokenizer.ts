import { decodeAll, TOKENIZER_VERSION, type TokenDecoder, type Tokenizer } from "./tokenizer.ts";

/** One token a byte of UTF-8: 256 of them, whatever the text. */
export class ByteTokenizer implements Tokenizer {
  readonly unit = "byte";
  readonly size = 256;
  readonly lineBreak = 10;
  readonly unknown = undefined;

  encode(text: string): Int32Array {
    return new Int32Array(new TextEncoder().encode(text));
  }

  /** Bytes that are no UTF-8 become U+FFFD. */
  decode(tokens: ArrayLike<number>): string {
    return decodeAll(this.decoder(), tokens);
  }

  name(token: number): string {
    return String(token);
  }

  decoder(): TokenDecoder {
    const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
    return {
      push: (token) => utf8.decode(Uint8Array.of(token), { stream: true }),
      end: () => utf8.decode(),
    };
  }

  toJSON(): Record<string, unknown> {
    return { formatVersion: TOKENIZER_VERSION, unit: this.unit };
  }
}
