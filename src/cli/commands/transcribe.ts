import type { Command } from "commander";
import { OptionError, UnrolledError } from "../../errors.ts";
import { writeFile } from "../../io/files.ts";
import type { Heard } from "../../tasks/speech/stream.ts";
import type { SpeechRecognizer } from "../../tasks/speech/task.ts";
import { type DecodingFlags, decodingFlags, readLanguageModel } from "../decoding-flags.ts";
import { jsonFlag, numberFlag, threadsFlag, useThreads } from "../flags.ts";
import { examples } from "../ui/examples.ts";

interface Flags extends DecodingFlags {
  stream?: true;
  rate?: number;
  alternatives?: number;
  plot?: string;
  skipBad?: true;
  threads?: number;
  json?: true;
}

export function define(command: Command): void {
  command
    .description(
      "Writes what is said in recordings, one line for each: WAV, FLAC or MP3 of any length, rate and channels, " +
        "or Sphinx's feature files *.mfc. With --stream it listens to stdin, and writes what it has heard so far.",
    )
    .argument("<dir>", "the model's folder")
    .argument("[audio...]", "recordings");
  for (const option of decodingFlags()) command.addOption(option);
  command
    .addOption(numberFlag("--alternatives <n>", "texts to give besides the best, with --json (default: 0)"))
    .option("--plot <file>", "draw what was heard as time went on, of a single recording, as an SVG")
    .option("--stream", "read samples of 16 bits, little end first, one channel, from stdin as they come")
    .addOption(numberFlag("--rate <n>", "of --stream: samples a second (default: the model's)"))
    .option("--skip-bad", "go on with the others where a recording cannot be read")
    .addOption(threadsFlag())
    .addOption(
      jsonFlag(
        'one object for each, in a line: {"audio","text","logProbability","words","seconds","notes"}; words with times; of ' +
          '--stream {"text","seconds","final"}',
      ),
    )
    .action(transcribe);
  examples(command, [
    ["what is said?", "unrolled transcribe models/digits a.wav b.wav"],
    ["with a language model", "unrolled transcribe models/an4 a.wav --lm lm.arpa --lm-weight 1.5"],
    ["the words, and when", "unrolled transcribe models/digits a.wav --json | jq -c '.words[]'"],
    ["how sure is it, and when?", "unrolled transcribe models/digits a.wav --plot a.svg"],
    [
      "from a microphone, with a model that reads forward only",
      "arecord -q -t raw -f S16_LE -r 16000 | unrolled transcribe models/forward --stream --rate 16000",
    ],
  ]);
}

async function transcribe(folder: string, audio: string[], { threads, ...flags }: Flags): Promise<void> {
  await useThreads(threads);
  const { SpeechRecognizer } = await import("../../tasks/speech/task.ts");
  if (!flags.stream && audio.length === 0) {
    throw new OptionError("transcribe needs recordings, or --stream to listen to stdin");
  }
  for (const name of ["alternatives", "skipBad", "plot"] as const) {
    if (flags.stream && flags[name] !== undefined) {
      throw new OptionError(
        `--${name === "skipBad" ? "skip-bad" : name} is for recordings, not for --stream`,
      );
    }
  }
  if (flags.rate !== undefined && !flags.stream) throw new OptionError("--rate is for --stream");
  if (flags.stream && audio.length > 0) {
    throw new OptionError(`--stream listens to stdin, and takes no recordings, got ${audio[0]}`);
  }
  if (flags.plot !== undefined && audio.length > 1) {
    throw new OptionError(`--plot draws a single recording, got ${audio.length}`);
  }
  const recognizer = await SpeechRecognizer.load(folder);
  const { json, skipBad, alternatives, plot, stream, rate, ...decoding } = await readLanguageModel(flags);
  if (stream) {
    return listen(
      recognizer,
      { ...decoding, ...(rate !== undefined && { sampleRate: rate }) },
      json === true,
    );
  }
  const options = { ...decoding, ...(alternatives !== undefined && { alternatives }) };
  for (const path of audio) {
    try {
      await writeOne(recognizer, path, options, {
        ...{ json: json === true, named: audio.length > 1 },
        ...(plot !== undefined && { plot }),
      });
    } catch (error) {
      if (!skipBad || !(error instanceof UnrolledError)) throw error;
      process.stderr.write(`skipped: ${error.message}\n`);
      process.exitCode = 1;
    }
  }
}

/** Writes what is heard each time it changes, and in the end. */
async function listen(
  recognizer: SpeechRecognizer,
  options: Parameters<SpeechRecognizer["stream"]>[0],
  json: boolean,
): Promise<void> {
  const stream = await recognizer.stream(options);
  let written = "";
  const write = (heard: Heard, final: boolean) => {
    if (heard.text === written && !final) return;
    written = heard.text;
    process.stdout.write(json ? `${JSON.stringify({ ...heard, final })}\n` : `${heard.text}\n`);
  };
  let rest = new Uint8Array(0);
  for await (const bytes of process.stdin as AsyncIterable<Uint8Array>) {
    const all = new Uint8Array(rest.length + bytes.length);
    all.set(rest);
    all.set(bytes, rest.length);
    const view = new DataView(all.buffer);
    const samples = Float32Array.from(
      { length: all.length >> 1 },
      (_, i) => view.getInt16(2 * i, true) / 32768,
    );
    rest = all.slice(2 * samples.length);
    write(stream.push(samples), false);
  }
  write(stream.end(), true);
}

async function writeOne(
  recognizer: SpeechRecognizer,
  path: string,
  options: Parameters<SpeechRecognizer["transcribe"]>[1],
  { json, named, plot }: { json: boolean; named: boolean; plot?: string },
): Promise<void> {
  const asked = { ...options, ...(plot !== undefined && { posteriors: true }) };
  const { posteriors, ...found } = await recognizer.transcribe(path, asked);
  if (plot !== undefined) {
    const { posteriorChart } = await import("../../plot/posteriors.ts");
    const none = { labels: [], probabilities: [], secondsPerStep: 1 };
    await writeFile(plot, posteriorChart({ title: found.text || path, ...(posteriors ?? none) }));
  }
  for (const note of found.notes) {
    process.stderr.write(`note: ${note.startsWith(path) ? note : `${path}: ${note}`}\n`);
  }
  process.stdout.write(
    json ? `${JSON.stringify({ audio: path, ...found })}\n` : `${named ? `${path}\t` : ""}${found.text}\n`,
  );
}
