import type { Profile } from "../../autograd/profile.ts";
import { columns } from "./format.ts";

/** What the ops cost: a row for each and pass, the costliest first, and one for what is left. Times are of one run. */
export function profileTable({ runs, milliseconds, ops }: Profile): string {
  const each = (ms: number) => (ms / runs).toFixed(3);
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const inOps = ops.reduce((sum, op) => sum + op.milliseconds, 0);
  return columns([
    ["op", "pass", "count", "ms", "share", "GFLOP/s", "GB/s"],
    ...ops.map((op) => [
      op.op,
      op.pass,
      String(Math.round((10 * op.count) / runs) / 10),
      each(op.milliseconds),
      percent(op.share),
      op.gflops?.toFixed(1) ?? "",
      op.gigabytes.toFixed(1),
    ]),
    ["between the ops", "", "", each(milliseconds - inOps), percent(1 - inOps / milliseconds), "", ""],
    ["all", "", "", each(milliseconds), "", "", ""],
  ]);
}
