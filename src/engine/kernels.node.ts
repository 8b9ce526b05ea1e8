import { inflateRawSync } from "node:zlib";
import type { Build } from "./features.ts";
import type { Family } from "./generated/abi.ts";
import * as plain from "./generated/plain.ts";
import * as relaxed from "./generated/relaxed.ts";

/** The WebAssembly bytes of a family. */
export function kernelBytes(family: Family, build: Build): Uint8Array<ArrayBuffer> | undefined {
  const inflated = inflateRawSync(Buffer.from((build === "relaxed" ? relaxed : plain)[family], "base64"));
  return new Uint8Array(inflated);
}

/** Nothing to wait for here; a page waits for its download. */
export async function loadKernels(_build: Build): Promise<void> {}
