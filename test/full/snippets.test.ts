/** Every program and command line of the READMEs and the guides runs as it stands there. */
import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { encodeWav, LanguageModel, SpeechRecognizer } from "../../src/index.ts";
import { book, pages, run, snippetsOf, Workplace } from "../snippets.ts";
import { RATE, tones, writeTones } from "../tones.ts";

const workplace = new Workplace();
const given = join(workplace.folder, "given");
afterAll(() => workplace.remove());

beforeAll(async () => {
  const settings = { hiddenSize: 16, numLayers: 1, batchSize: 4, seqLength: 16, epochs: 2 };
  await LanguageModel.train({ text: book }, { ...settings, out: join(given, "models/book") });
  await LanguageModel.train(
    { text: "ab c\nc ab\n".repeat(100) },
    { ...settings, out: join(given, "models/letters") },
  );
  const [train, valid] = ["train", "valid", "test"].map((name, i) => writeTones(given, name, 20, i));
  const small = { hiddenSize: 16, numLayers: 1, epochs: 5 };
  await SpeechRecognizer.train(train!, { ...small, valid: valid!, out: join(given, "models/mine") });
  for (const name of ["a.wav", "b.wav"]) writeFileSync(join(given, name), encodeWav(tones("ab c"), RATE));
  writeFileSync(join(given, "transcripts.txt"), "ab c\nc ab\n".repeat(20));
  writeFileSync(join(given, "words.txt"), "ab\nc\n");
});

it.each(pages.flatMap(snippetsOf))("$name", async (snippet) => {
  const folder = workplace.place(snippet);
  for (const name of snippet.given) cpSync(join(given, name), join(folder, name), { recursive: true });
  const { code, output } =
    snippet.language === "ts"
      ? await run(process.execPath, ["--conditions=source", "program.ts"], folder)
      : await run("bash", ["program.sh"], folder);
  expect(code, output).toBe(0);
});
