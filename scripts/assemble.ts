/** AssemblyScript → WebAssembly, as every kernel module is made: over one shared memory, without data of its own. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import asc from "assemblyscript/asc";
import { control } from "../src/engine/control.ts";

/** The numbers that kernels assembled so far name as `constant(…)`, as they stand in the engine's table. */
export const numbers: number[] = [];

/**
 * Makes of `constant(1.5)` in a kernel a load from a table that the engine fills: V8 would build the vector anew, in
 * three instructions, wherever it is used.
 */
function placeConstants(source: string): string {
  return source.replace(/\bconstant\((-?[\d.e+-]+)\)/g, (_, literal) => {
    const value = Number(literal);
    if (!numbers.includes(value)) numbers.push(value);
    return `v128.load32_splat(${control.constants + 4 * numbers.indexOf(value)})`;
  });
}

/** Data segments would collide: all modules share one memory. */
function hasDataSection(wasm: Uint8Array): boolean {
  let at = 8;
  while (at < wasm.length) {
    const id = wasm[at++];
    let size = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = wasm[at++]!;
      size |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    if (id === 11) return true;
    at += size;
  }
  return false;
}

/** The module of a file, for plain or for relaxed SIMD (fused multiply-add). */
export async function assemble(
  file: string,
  relaxed: boolean,
  importTable = false,
): Promise<Uint8Array<ArrayBuffer>> {
  const out = "module.wasm";
  let binary: Uint8Array<ArrayBuffer> | undefined;
  const { error, stderr } = await asc.main(
    [
      file,
      "-o",
      out,
      "-O3",
      "--noAssert",
      "--runtime",
      "stub",
      "--use",
      "abort=",
      "--enable",
      `simd,threads,bulk-memory${relaxed ? ",relaxed-simd" : ""}`,
      "--importMemory",
      "--sharedMemory",
      "--initialMemory",
      "2",
      "--maximumMemory",
      "65536",
      ...(importTable ? ["--importTable"] : []),
    ],
    {
      readFile: (name, base) => {
        const path = join(base, name);
        return existsSync(path) ? placeConstants(readFileSync(path, "utf8")) : null;
      },
      writeFile: (name, contents) => {
        if (name === out) binary = contents as Uint8Array<ArrayBuffer>;
      },
      listFiles: () => [],
    },
  );
  if (error || !binary) throw new Error(`${file}: ${error?.message}\n${stderr.toString()}`);
  if (hasDataSection(binary)) throw new Error(`${file}: has static data, but all modules share one memory`);
  return binary;
}
