/** The ladders of bench/kernels stand outside of what tsc sees, on kernels that change: that they assemble and are right. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";

it.each(["gemm", "lstm"])("every version of %s agrees with the reference", (ladder) => {
  const file = join(import.meta.dirname, `../../bench/kernels/${ladder}.ts`);
  const { status, stderr } = spawnSync(process.execPath, [file, "0", "none"], { encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
});
