import { useFileSystem } from "../../../src/io/file-system.ts";
import type { LanguageModelEvent } from "../../../src/tasks/language-model/events.ts";
import type { LanguageModelOptions, TextSource } from "../../../src/tasks/language-model/options.ts";
import { LanguageModel } from "../../../src/tasks/language-model/task.ts";
import type { Disk } from "./disk.ts";

export const source: TextSource = { text: "the quick brown fox jumps over the lazy dog\n".repeat(8) };

const options: LanguageModelOptions = {
  ...{ hiddenSize: 8, numLayers: 1, batchSize: 4, seqLength: 16, epochs: 3, learningRate: 0.02, threads: 1 },
  out: "/model",
};

/** Trains on a disk; gives what it told and the error it ended with. */
export async function train(disk: Disk, more: LanguageModelOptions = {}, from = source) {
  const events: LanguageModelEvent[] = [];
  let error: Error | undefined;
  useFileSystem(disk);
  try {
    await LanguageModel.train(from, {
      ...options,
      ...more,
      onProgress(event) {
        events.push(event);
        more.onProgress?.(event);
      },
    });
  } catch (caught) {
    error = caught as Error;
  } finally {
    useFileSystem(undefined);
  }
  return { events, error };
}

/** What must be the same however often a training was interrupted: all but the clock, and the checkpoints' numbers. */
function outcome(disk: Disk): Map<string, Buffer> {
  const files = disk.files();
  const latest = files.get("/model/training/latest")!.toString().trim();
  const names = ["tokenizer.json", "model.safetensors"];
  const own = ["state", "best"].map((name) => `training/${latest}/${name}.safetensors`);
  return new Map(
    [...names, ...own].map((name) => [name.replace(latest, "latest"), files.get(`/model/${name}`)!]),
  );
}

/** The files whose bytes are not the same in two outcomes. */
export function differences(a: Disk, b: Disk): string[] {
  const expected = outcome(b);
  return [...outcome(a)].flatMap(([name, bytes]) => (bytes?.equals(expected.get(name)!) ? [] : [name]));
}
