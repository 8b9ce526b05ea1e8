import type { Build } from "./features.ts";
import type { KernelSource } from "./kernel-source.ts";

const loaded = new Map<KernelSource, Partial<Record<Build, Uint8Array<ArrayBuffer>>>>();

/** The WebAssembly bytes of a family, once `loadKernels` has brought them; undefined before. */
export function kernelBytes(source: KernelSource, build: Build): Uint8Array<ArrayBuffer> | undefined {
  return loaded.get(source)?.[build];
}

/** Downloads one build of a family and inflates it. */
export async function loadKernels(source: KernelSource, build: Build): Promise<void> {
  if (loaded.get(source)?.[build]) return;
  const { default: base64 } = (await source[build]()) as { default: string };
  const deflated = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  const stream = new Blob([deflated]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  loaded.set(source, { ...loaded.get(source), [build]: bytes });
}
