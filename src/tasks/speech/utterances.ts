import { DataError, OptionError } from "../../errors.ts";
import { nodeFiles } from "../../io/node-files.ts";
import { Generator } from "../../tensor/random.ts";
import { type Layout, readLayout, type Split } from "./layouts.ts";
import { readManifest, type Utterance } from "./manifest.ts";

export type { Utterance };

/**
 * Where recordings and their texts come from: a manifest `*.jsonl` or `*.tsv`; a folder of recordings, each with its text
 * beside it in a file `*.txt`; or the folder of a data set whose layout is known (LibriSpeech, Common Voice, FSDD, AN4 and
 * others of Sphinx, yesno), of which `split` names the part.
 */
export type SpeechSource =
  | string
  | {
      path: string;
      /** Of a data set whose layout is known. Default "train" to train on, "test" to evaluate on. */
      split?: Split | undefined;
    };

/** Where an error says that something is. */
export const pathOf = (source: SpeechSource) => (typeof source === "string" ? source : source.path);

/** Utterances, and whether they are a part of a data set that says what to validate on. */
export async function readUtterances(
  source: SpeechSource,
  split: Split,
  join?: readonly [from: number, to: number],
): Promise<Layout> {
  const path = pathOf(source);
  const named = typeof source === "string" ? undefined : source.split;
  const found = await readAll(path, named ?? split);
  if (named && !found.validation) {
    throw new OptionError(`${path}: split is for the folder of a data set whose layout is known`);
  }
  if (found.utterances.length === 0) throw new DataError(`${path}: has no utterances`);
  return join ? { ...found, utterances: joinUtterances(found.utterances, join, path) } : found;
}

async function readAll(path: string, split: Split) {
  const { fs } = nodeFiles(path);
  const isFolder = await fs.stat(path).then(
    (facts) => facts.isDirectory(),
    () => false,
  );
  if (isFolder) return readLayout(path, split);
  return { utterances: await readManifest(path) };
}

/** Strings of one speaker's utterances, as many as there are; which, depends on the utterances alone. */
function joinUtterances(
  utterances: readonly Utterance[],
  [from, to]: readonly [number, number],
  path: string,
): Utterance[] {
  const bySpeaker = Map.groupBy(utterances, ({ speaker }) => speaker);
  const random = new Generator(utterances.length);
  return utterances.map(({ speaker }, i) => {
    const own = bySpeaker.get(speaker)!;
    const parts = Array.from(
      { length: from + random.below(to - from + 1) },
      () => own[random.below(own.length)]!,
    );
    return {
      id: `string ${i + 1}`,
      audio: parts.flatMap(({ audio }) => audio),
      text: parts.map(({ text }) => text).join(" "),
      speaker,
      where: `${path}: string ${i + 1}`,
    };
  });
}
