import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";
import { hasRelaxedSimd } from "./features.ts";
import { canRevectorize } from "./v8-flags.ts";

/** Runs a program in a Node of its own. */
const node = (program: string, ...flags: string[]) =>
  spawnSync(process.execPath, [...flags, "--conditions=source", "--input-type=module", "--eval", program], {
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });

const importing = (names: string, file: string) =>
  `import { ${names} } from "${new URL(file, import.meta.url)}";`;

/**
 * Loading TypeScript leaves V8's compiler threads busy with the WebAssembly that strips its types, just when our modules
 * compile under changed flags: a process that reads such a flag twice dies, half of the time if the flag is a wrong one.
 */
it("flags change under V8's compiler threads without harm", () => {
  const program = `
    ${importing("lstm", "../ops/lstm.ts")}
    ${importing("zeros", "../tensor/tensor.ts")}
    lstm({ input: zeros([3, 40, 8]), weightIh: zeros([64, 8]), weightHh: zeros([64, 16]) });
  `;
  for (let i = 0; i < 8; i++) {
    const { status, signal, stderr } = node(program);
    expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: "" });
  }
});

it.skipIf(!canRevectorize() || !hasRelaxedSimd()).each(["linear", "lstm", "gru", "rnn"])(
  "the revectoriser takes the tiles and the cell of %s",
  (family) => {
    const program = `
      ${importing("kernelBytes", "./kernel-bytes.node.ts")}
      ${importing(`${family}Kernels`, "./generated/kernels.node.ts")}
      ${importing("compile", "./v8-flags.ts")}
      compile(kernelBytes(${family}Kernels, "relaxed"), true);
    `;
    const { stdout } = node(program, "--single-threaded", "--trace-wasm-revectorize");
    // Each is a tile or a cell; of the functions that copy and count it takes a few operations or none.
    const operations = stdout.matchAll(/Decided? to vectorize, (\d+) revectorizable nodes/g);
    const large = [...operations].filter(([, count]) => Number(count) > 50);
    expect(large.length).toBeGreaterThanOrEqual(9);
  },
);
