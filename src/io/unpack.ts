import type { Readable, Transform } from "node:stream";
import { nodeModule } from "../engine/features.ts";
import { FormatError, UsageError } from "../errors.ts";
import { fileError } from "./files.ts";
import { nodeFiles } from "./node-files.ts";

/** Bytes read at a time. */
const CHUNK = 2 ** 19;

/** What may be packed how: told by the first bytes, whatever the file is called. */
const packings = [
  { name: "gzip", magic: [0x1f, 0x8b] },
  { name: "zstd", magic: [0x28, 0xb5, 0x2f, 0xfd] },
] as const;

type Packing = (typeof packings)[number]["name"];

/**
 * The content of a file in pieces, unpacked if it is packed by gzip or zstd; a piece is there until the next one is asked
 * for. `onRead` is told the bytes as they come from the disk.
 */
export async function* readBytes(
  path: string,
  onRead: (bytes: number) => void = () => {},
): AsyncGenerator<Uint8Array> {
  const raw = rawBytes(path, onRead);
  const first = (await raw.next()).value;
  if (first === undefined) return;
  const packing = packings.find(({ magic }) => magic.every((byte, i) => first[i] === byte))?.name;
  const all = chain(first, raw);
  yield* packing ? unpack(path, packing, all) : all;
}

/** The bytes of a file as they are on the disk, in pieces, each of them there until the next one is asked for. */
export async function* rawBytes(
  path: string,
  onRead: (bytes: number) => void = () => {},
): AsyncGenerator<Uint8Array, undefined> {
  const { fs } = nodeFiles(path);
  try {
    const handle = await fs.open(path);
    try {
      const buffer = new Uint8Array(CHUNK);
      for (;;) {
        const { bytesRead } = await handle.read({ buffer });
        if (bytesRead === 0) return;
        onRead(bytesRead);
        yield buffer.subarray(0, bytesRead);
      }
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw (cause as { syscall?: unknown }).syscall === undefined ? cause : fileError(path, "read", cause);
  }
}

/** Copies that a stream may keep. */
async function* copies(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) yield piece.slice();
}

async function* chain(first: Uint8Array, rest: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield first;
    yield* rest;
  } finally {
    await rest.return(undefined);
  }
}

async function* unpack(
  path: string,
  packing: Packing,
  bytes: AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const { pipeline } = nodeModule<typeof import("node:stream")>("node:stream")!;
  // What fails is seen by the loop below; the callback keeps it from being thrown at the process too.
  const unpacked: Readable = pipeline(copies(bytes), unpacker(path, packing), () => {});
  try {
    yield* unpacked as AsyncIterable<Uint8Array>;
  } catch (cause) {
    const { code = "", message } = cause as { code?: string; message: string };
    if (!/^(Z_|ZSTD_|ERR_ZSTD)/.test(code)) throw cause;
    throw new FormatError(`${path}: is packed by ${packing}, and cannot be unpacked: ${message}`, { cause });
  }
}

function unpacker(path: string, packing: Packing): Transform {
  const zlib = nodeModule<typeof import("node:zlib")>("node:zlib")!;
  if (packing === "gzip") return zlib.createGunzip({ chunkSize: CHUNK });
  if (zlib.createZstdDecompress) return zlib.createZstdDecompress({ chunkSize: CHUNK });
  throw new UsageError(`${path}: is packed by zstd, which Node ${process.versions.node} cannot unpack`, {
    hint: "Node 22.15 or newer can; or unpack it first: zstd -d",
  });
}
