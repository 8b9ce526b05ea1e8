import { FormatError } from "../errors.ts";

/** Unpacks what is packed by gzip, refusing more than `maxBytes` of it; gives anything else back as it is. */
export async function gunzip(
  bytes: Uint8Array<ArrayBuffer>,
  maxBytes: number,
  where: string,
): Promise<Uint8Array<ArrayBuffer>> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  try {
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    for await (const chunk of stream) {
      size += chunk.length;
      if (size > maxBytes)
        throw new FormatError(`${where}: is too large: more than ${maxBytes} bytes unpacked`);
      chunks.push(chunk);
    }
  } catch (cause) {
    if (cause instanceof FormatError) throw cause;
    throw new FormatError(`${where}: is packed by gzip, but damaged`, { cause });
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}
