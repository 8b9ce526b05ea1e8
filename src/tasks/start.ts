import { joinPath, listFolder } from "../io/files.ts";
import { readJsonFile } from "../io/json-file.ts";
import { MAX_CONFIG, modelFiles } from "../io/model-folder.ts";
import { constantSchedule, cosineSchedule, plateauSchedule, type Schedule } from "../optim/schedule.ts";
import type { Checkpoint } from "../training/checkpoints.ts";
import { type OptionRules, openFolder, reopenFolder } from "../training/continue.ts";

/** What a resumed training may be told anew, of options that several tasks have alike. */
export const startRules = (where: string): OptionRules => ({
  where,
  ofOneStart: ["onProgress", "signal", "valid", "out", "resume", "logDir", "log", "logEvery"],
  mayChange: ["epochs", "maxSteps", "patience", "threads", "checkpointEvery"],
});

/** How a training begins, or goes on. */
export interface Start<Resolved> {
  options: Resolved;
  folder: string | undefined;
  checkpoint: Checkpoint | undefined;
  skipped: string[];
  changed: string[];
  close(): Promise<void>;
}

/** Finds out what to train, and makes the folder ready: a new one, or one that a training stopped in. */
export async function openTraining<
  Options extends { out?: string; resume?: boolean },
  Resolved extends { out?: string | undefined },
>(
  given: Options,
  rules: OptionRules,
  task: {
    check(options: Options): Resolved;
    /** The options that config.json records. */
    recorded(json: unknown, file: string): Readonly<Record<string, unknown>> | undefined;
  },
): Promise<Start<Resolved>> {
  const { out } = given;
  if (given.resume && typeof out === "string") {
    const record = async () => {
      if (!(await listFolder(out)).includes(modelFiles.config)) return {};
      const file = joinPath(out, modelFiles.config);
      return task.recorded(await readJsonFile(file, MAX_CONFIG), file) ?? {};
    };
    const { options, ...stopped } = await reopenFolder(out, given, rules, record);
    try {
      return { ...stopped, options: task.check(options) };
    } catch (error) {
      await stopped.close();
      throw error;
    }
  }
  const options = task.check(given);
  const close = async () => {};
  const begun = { options, folder: undefined, checkpoint: undefined, skipped: [], changed: [], close };
  return options.out === undefined ? begun : { ...begun, ...(await openFolder(options.out)) };
}

/** The options as config.json keeps them. */
export function recordOptions(options: object, { ofOneStart }: OptionRules): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([name]) => !ofOneStart.includes(name)));
}

/** The schedule that options name, of a training with so many updates an epoch. */
export function scheduleOf(
  options: {
    schedule: "constant" | "plateau" | "cosine";
    learningRate: number;
    epochs: number;
    maxSteps?: number | undefined;
    decay?: number | undefined;
    warmup?: number | undefined;
  },
  updatesPerEpoch: number,
): Schedule {
  const { schedule, learningRate, decay: factor = 0.5, warmup: warmupSteps = 0, epochs, maxSteps } = options;
  if (schedule === "constant") return constantSchedule(learningRate);
  if (schedule === "plateau") return plateauSchedule(learningRate, { factor, patience: 1 });
  const totalSteps = Math.min(updatesPerEpoch * epochs, maxSteps ?? Number.POSITIVE_INFINITY);
  return cosineSchedule(learningRate, { totalSteps, warmupSteps });
}
