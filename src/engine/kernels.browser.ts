import type { Build } from "./features.ts";
import type { Family } from "./generated/abi.ts";

const loaded = new Map<Build, Map<Family, Uint8Array<ArrayBuffer>>>();

/** The WebAssembly bytes of a family, once `loadKernels` has brought them; undefined before. */
export function kernelBytes(family: Family, build: Build): Uint8Array<ArrayBuffer> | undefined {
  return loaded.get(build)?.get(family);
}

/** Downloads one build of the kernels and inflates it. */
export async function loadKernels(build: Build): Promise<void> {
  if (loaded.has(build)) return;
  const module =
    build === "relaxed" ? await import("./generated/relaxed.ts") : await import("./generated/plain.ts");
  const bytes = new Map<Family, Uint8Array<ArrayBuffer>>();
  for (const [family, base64] of Object.entries(module) as [Family, string][]) {
    const deflated = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
    const stream = new Blob([deflated]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
    bytes.set(family, new Uint8Array(await new Response(stream).arrayBuffer()));
  }
  loaded.set(build, bytes);
}
