import type { LanguageModel } from "../../tasks/language-model/task.ts";
import { NgramModel } from "../../tasks/ngram-model/model.ts";
import { Generator } from "../../tensor/random.ts";
import { pickSentences, shuffleWords } from "./sentences.ts";

const SENTENCES = 100;
const SEED = 1;

export interface Findings {
  /** Perplexity of the held-out text by the frequencies of tokens alone. */
  unigramPerplexity: number;
  /** How many held-out sentences there are, and how many the model finds likelier than their shuffled twins. */
  sentences: number;
  ranked: number;
  /** One that it ranked right, the shortest. */
  example: { sentence: string; twin: string } | undefined;
  prompt: string;
  /** What it writes on from the prompt. */
  paragraph: string;
}

/** What a model learnt from `train`, shown on text it has not read. */
export async function examine(model: LanguageModel, train: string, heldOut: string): Promise<Findings> {
  const { tokenizer } = model;
  const unigram = await NgramModel.train({ text: train }, { order: 1, tokenizer });
  const generator = new Generator(SEED);
  const pairs = pickSentences(heldOut, SENTENCES).map((sentence) => ({
    sentence,
    twin: shuffleWords(sentence, generator),
  }));
  const right = pairs.filter(
    ({ sentence, twin }) => model.score(sentence).logProb > model.score(twin).logProb,
  );
  // The first two words, or two Chinese characters; without either, a new line.
  const prompt = heldOut.match(/\p{Lu}\p{Ll}+ \p{L}+ |\p{Lo}{2}/u)?.[0] ?? "";
  return {
    unigramPerplexity: (await unigram.evaluate({ text: heldOut })).perplexity,
    sentences: pairs.length,
    ranked: right.length,
    example: right.sort((a, b) => a.sentence.length - b.sentence.length)[0],
    prompt,
    paragraph: writeParagraph(model, prompt),
  };
}

/** The longest of a few attempts, for some are a line of speech; the first that is long enough will do. */
function writeParagraph(model: LanguageModel, prompt: string): string {
  let longest = "";
  for (let attempt = 0; attempt < 8 && longest.length < 300; attempt++) {
    const options = { maxTokens: 500, temperature: 0.6, seed: SEED + attempt, stop: "\n\n" };
    const paragraph = wholeSentences(prompt + model.generate(prompt, options));
    if (paragraph.length > longest.length) longest = paragraph;
  }
  return longest;
}

/** Up to the last full stop, if there is one. */
function wholeSentences(text: string): string {
  return /^[\s\S]*[.!?]["'”’)]*/.exec(text)?.[0] ?? text;
}
