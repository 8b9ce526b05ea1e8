/**
 * GPT-2's way of writing bytes as characters that are seen: those that print stand for themselves, the others, in order,
 * for the characters from U+0100 on. A blank is Ġ, a line feed Ċ.
 */
export const byteCharacters: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  String.fromCharCode(prints(byte) ? byte : 256 + hiddenBefore(byte)),
);

function prints(byte: number): boolean {
  return (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
}

function hiddenBefore(byte: number): number {
  let count = 0;
  for (let other = 0; other < byte; other++) if (!prints(other)) count++;
  return count;
}

const bytesOf = new Map(byteCharacters.map((character, byte) => [character, byte]));
const utf8 = new TextEncoder();

/** The bytes of a text's UTF-8 as characters. */
export function toByteCharacters(text: string): string {
  let characters = "";
  for (const byte of utf8.encode(text)) characters += byteCharacters[byte];
  return characters;
}

/** The bytes that a token's characters stand for; of a token that has others in it, its own UTF-8. */
export function toBytes(token: string): Uint8Array {
  const bytes = new Uint8Array(token.length);
  for (let i = 0; i < token.length; i++) {
    const byte = bytesOf.get(token[i]!);
    if (byte === undefined) return utf8.encode(token);
    bytes[i] = byte;
  }
  return bytes;
}
