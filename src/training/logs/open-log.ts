import { joinPath } from "../../io/files.ts";
import type { LogFormatName, RunLog } from "./run-log.ts";

/** The log a training writes, where it has a folder to write into; what a page does not use, it does not load. */
export async function openLog(
  task: string,
  given: {
    out?: string | undefined;
    logDir?: string | undefined;
    log?: readonly LogFormatName[] | undefined;
  },
  options: Record<string, unknown>,
  resumedFrom?: number,
): Promise<RunLog | undefined> {
  const { out, logDir = out && joinPath(out, "training", "logs"), log = [] } = given;
  if (logDir === undefined) return undefined;
  const { RunLog } = await import("./run-log.ts");
  return RunLog.open({ folder: logDir, formats: log, task, out, options, step: resumedFrom });
}
