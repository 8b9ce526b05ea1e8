import { inflateRawSync } from "node:zlib";
import type { Build } from "./features.ts";
import type { KernelSource } from "./kernel-source.ts";

/** The WebAssembly bytes of a family. */
export function kernelBytes(source: KernelSource, build: Build): Uint8Array<ArrayBuffer> | undefined {
  return new Uint8Array(inflateRawSync(Buffer.from(source[build]() as string, "base64")));
}

/** Nothing to wait for here; a page waits for its download. */
export const loadKernels: ((source: KernelSource, build: Build) => Promise<void>) | undefined = undefined;
