/** Every call by which a training writes is made to fail, and the computer made to end before it: it can go on. */
import { expect, it } from "vitest";
import type { LanguageModelEvent } from "../../../src/tasks/language-model/events.ts";
import { Disk, type Ending } from "./disk.ts";
import { differences, train } from "./train.ts";

const temporary = (disk: Disk) => [...disk.files().keys()].filter((name) => /\.tmp$|lock/.test(name));

async function uninterrupted(): Promise<{ calls: [string, string][]; whole: Disk }> {
  const calls: [string, string][] = [];
  const disk = new Disk((...call) => {
    calls.push(call);
    return undefined;
  });
  expect((await train(disk)).error).toBeUndefined();
  expect(temporary(disk)).toEqual([]);
  return { calls, whole: disk };
}

const stepOf = (event: LanguageModelEvent | undefined) =>
  event?.type === "resume" ? event.step : Number.NaN;

/** What matters of a file: two runs do not share what has times in it, of which there is all or nothing. */
function facts([path, content]: [string, Buffer]): string {
  const timed = /manifest|events\.jsonl|lock\./.test(path);
  return timed
    ? `${path.replace(/lock.*/, "lock")} ${content.length > 0}`
    : `${path} ${content.toString("latin1")}`;
}

class Crash extends Error {}

/** Hundreds of trainings, on a machine that may have other work. */
const MINUTES = 120_000;

it("goes on after the computer's end between any two calls", { timeout: MINUTES }, async () => {
  const { calls, whole } = await uninterrupted();
  expect(calls.length).toBeGreaterThan(80);
  const failures: string[] = [];
  const seen = new Set<string>();
  for (let end = 0; end < calls.length; end++) {
    for (const ending of ["process killed", "power cut", "power cut, names kept"] satisfies Ending[]) {
      let made = 0;
      const disk = new Disk(() => {
        if (made++ >= end) throw new Crash();
        return undefined;
      });
      const saved = (await train(disk)).events.findLast((event) => event.type === "checkpoint")?.step ?? 0;
      const next = disk.after(ending);
      // Many a call leaves the disk as it was: what is the same, and promised the same, needs no second look.
      const state = JSON.stringify([saved, ...[...next.files()].map(facts)]);
      if (seen.has(state)) continue;
      seen.add(state);
      const { error, events } = await train(next, { resume: true });
      const where = `${ending} before call ${end}, ${calls[end]!.join(" ")}`;
      if (error) failures.push(`${where}: ${error}`);
      else if (differences(next, whole).length > 0) failures.push(`${where}: other bytes`);
      else if (temporary(next).length > 0) failures.push(`${where}: leaves ${temporary(next)}`);
      else if (stepOf(events[0]) < saved) failures.push(`${where}: lost the checkpoint of update ${saved}`);
    }
  }
  expect(failures).toEqual([]);
});

it.each(["ENOSPC", "EIO", "short write"])(
  "goes on after %s, wherever it came",
  { timeout: MINUTES },
  async (kind) => {
    const { calls, whole } = await uninterrupted();
    const messages = new Set<string>();
    const failures: string[] = [];
    for (const [i, [call, path]] of calls.entries()) {
      if (kind === "short write" && call !== "write") continue;
      let made = 0;
      // A full disk takes half of what is left to write, and then nothing more.
      let full = false;
      const disk = new Disk((what) => {
        const due = made++ === i;
        if (kind === "short write" && due) {
          full = true;
          return "half";
        }
        if (due || (full && what === "write")) {
          throw Object.assign(new Error(), { code: kind === "EIO" ? "EIO" : "ENOSPC" });
        }
        return undefined;
      });
      const { error } = await train(disk);
      if (error) messages.add(error.message.replace(/\d{6}|\.\w+\.\d+\.tmp|lock[\w.-]*/g, "…"));
      const again = disk.after("process killed");
      const { error: second } = await train(again, { resume: true });
      // What cannot be removed or closed does not stop a training, nor what is written when it has ended.
      if (!error && !["rm", "rmdir"].includes(call)) failures.push(`${call} ${path}: passed unnoticed`);
      if (second) failures.push(`${call} ${path}: ${second}`);
      else if (differences(again, whole).length > 0) failures.push(`${call} ${path}: other bytes`);
    }
    expect(failures).toEqual([]);
    expect([...messages].sort()).toMatchSnapshot();
  },
);

it("takes the newest checkpoint that is whole, and names those that are not", async () => {
  const { whole } = await uninterrupted();
  const trained = async (damage: (disk: Disk) => void) => {
    const first = new Disk();
    await train(first);
    const disk = first.after("process killed");
    damage(disk);
    const { events, error } = await train(disk, { resume: true });
    if (!error) expect(differences(disk, whole)).toEqual([]);
    return error
      ? error.message
      : { step: stepOf(events[0]), skipped: (events[0] as { skipped: string[] }).skipped };
  };
  const flip = (bytes: Uint8Array<ArrayBuffer>) => {
    bytes[bytes.length - 1]! ^= 1;
    return bytes;
  };
  const state = (n: number) => `/model/training/00000${n}/state.safetensors`;
  expect([
    await trained(() => {}),
    await trained((disk) => disk.damage(state(3), flip)),
    await trained((disk) => disk.damage(state(3), (bytes) => bytes.slice(0, 1000))),
    await trained((disk) =>
      disk.damage("/model/training/000003/manifest.json", (bytes) => bytes.slice(0, 20)),
    ),
    await trained((disk) => void disk.rm("/model/training/000003/manifest.json")),
    await trained((disk) => disk.damage("/model/training/000003/best.safetensors", flip)),
    await trained((disk) => disk.damage("/model/model.safetensors", flip)),
    await trained((disk) => {
      disk.damage(state(2), flip);
      disk.damage(state(3), flip);
    }),
  ]).toMatchInlineSnapshot(`
    [
      {
        "skipped": [],
        "step": 15,
      },
      {
        "skipped": [
          "/model/training/000003/state.safetensors: is damaged, its SHA-256 is not the manifest's",
        ],
        "step": 10,
      },
      {
        "skipped": [
          "/model/training/000003/state.safetensors: must have 15652 bytes, got 1000",
        ],
        "step": 10,
      },
      {
        "skipped": [
          "/model/training/000003/manifest.json is not JSON, at character 20",
        ],
        "step": 10,
      },
      {
        "skipped": [
          "/model/training/000003: was not written to its end",
        ],
        "step": 10,
      },
      {
        "skipped": [
          "/model/training/000003/best.safetensors: is damaged, its SHA-256 is not the manifest's",
        ],
        "step": 10,
      },
      {
        "skipped": [],
        "step": 15,
      },
      "/model/training: holds no whole checkpoint
      /model/training/000003/state.safetensors: is damaged, its SHA-256 is not the manifest's
      /model/training/000002/state.safetensors: is damaged, its SHA-256 is not the manifest's
    hint: train anew in another folder",
    ]
  `);
});
