import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";

/**
 * Loading TypeScript leaves V8's compiler threads busy with the WebAssembly that strips its types, just when our modules
 * compile under changed flags: a process that reads such a flag twice dies, half of the time if the flag is a wrong one.
 */
it("flags change under V8's compiler threads without harm", () => {
  const program = `
    import { lstm } from "${new URL("../ops/lstm.ts", import.meta.url)}";
    import { zeros } from "${new URL("../tensor/tensor.ts", import.meta.url)}";
    lstm({ input: zeros([3, 40, 8]), weightIh: zeros([64, 8]), weightHh: zeros([64, 16]) });
  `;
  for (let i = 0; i < 8; i++) {
    const { status, signal, stderr } = spawnSync(
      process.execPath,
      ["--conditions=source", "--input-type=module", "--eval", program],
      { encoding: "utf8" },
    );
    expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: "" });
  }
});
