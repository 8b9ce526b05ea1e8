import type { Command } from "commander";
import { UnrolledError } from "../../errors.ts";
import type { SpeechRecognizer } from "../../tasks/speech/task.ts";
import { type DecodingFlags, decodingFlags, readLanguageModel } from "../decoding-flags.ts";
import { jsonFlag, numberFlag, threadsFlag, useThreads } from "../flags.ts";
import { examples } from "../ui/examples.ts";

interface Flags extends DecodingFlags {
  alternatives?: number;
  skipBad?: true;
  threads?: number;
  json?: true;
}

export function define(command: Command): void {
  command
    .description(
      "Writes what is said in recordings, one line for each: WAV of any length, width, rate and channels, " +
        "or Sphinx's feature files *.mfc.",
    )
    .argument("<dir>", "the model's folder")
    .argument("<audio...>", "recordings");
  for (const option of decodingFlags()) command.addOption(option);
  command
    .addOption(numberFlag("--alternatives <n>", "texts to give besides the best, with --json (default: 0)"))
    .option("--skip-bad", "go on with the others where a recording cannot be read")
    .addOption(threadsFlag())
    .addOption(
      jsonFlag(
        'one object for each, in a line: {"audio","text","logProbability","words","seconds","notes"}; words with times',
      ),
    )
    .action(transcribe);
  examples(command, [
    ["what is said?", "unrolled transcribe models/digits a.wav b.wav"],
    ["with a language model", "unrolled transcribe models/an4 a.wav --lm lm.arpa --lm-weight 1.5"],
    ["the words, and when", "unrolled transcribe models/digits a.wav --json | jq -c '.words[]'"],
  ]);
}

async function transcribe(folder: string, audio: string[], { threads, ...flags }: Flags): Promise<void> {
  await useThreads(threads);
  const { SpeechRecognizer } = await import("../../tasks/speech/task.ts");
  const recognizer = await SpeechRecognizer.load(folder);
  const { json, skipBad, alternatives, ...decoding } = await readLanguageModel(flags);
  const options = { ...decoding, ...(alternatives !== undefined && { alternatives }) };
  const { lmUnit: _, ...given } = options;
  for (const path of audio) {
    try {
      await writeOne(recognizer, path, given, { json: json === true, named: audio.length > 1 });
    } catch (error) {
      if (!skipBad || !(error instanceof UnrolledError)) throw error;
      process.stderr.write(`skipped: ${error.message}\n`);
      process.exitCode = 1;
    }
  }
}

async function writeOne(
  recognizer: SpeechRecognizer,
  path: string,
  options: Parameters<SpeechRecognizer["transcribe"]>[1],
  { json, named }: { json: boolean; named: boolean },
): Promise<void> {
  const found = await recognizer.transcribe(path, options);
  for (const note of found.notes) {
    process.stderr.write(`note: ${note.startsWith(path) ? note : `${path}: ${note}`}\n`);
  }
  process.stdout.write(
    json ? `${JSON.stringify({ audio: path, ...found })}\n` : `${named ? `${path}\t` : ""}${found.text}\n`,
  );
}
