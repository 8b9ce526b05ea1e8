import { closeSync, openSync, writeSync } from "node:fs";
import { Generator } from "../../src/tensor/random.ts";

const PAGE = 2 ** 20;
const PAGES = 64;

/** Writes a text of about so many bytes: sentences of made-up words, frequent ones and rare ones, in three scripts. */
export function writeLargeText(path: string, bytes: number): void {
  const random = new Generator(1);
  const pages = Array.from({ length: PAGES }, () => Buffer.from(makePage(random)));
  const file = openSync(path, "w");
  try {
    for (let written = 0, n = 0; written < bytes; n++) {
      // No two pages alike: each begins with words of its own.
      const page = pages[random.below(PAGES)]!;
      page.write(`${n}`.padStart(9, "x"));
      written += writeSync(file, page);
    }
  } finally {
    closeSync(file);
  }
}

function makePage(random: Generator): string {
  let page = "number xn ";
  while (page.length < PAGE) page += makeSentence(random);
  return `${page}\n`;
}

function makeSentence(random: Generator): string {
  const length = 4 + random.below(20);
  const words = Array.from({ length }, () => makeWord(random));
  const line = `${words.join(" ")}.`;
  return random.below(6) === 0 ? `${line}\r\n\r\n` : `${line} `;
}

const syllables = "ka ro mi ten sul da ne vor ä ø l'e 字 船 wa the in on Qu x3".split(" ");

function makeWord(random: Generator): string {
  // The square makes low numbers frequent.
  let number = Math.floor(random.uniform() ** 3 * 200_000);
  let word = "";
  do {
    word += syllables[number % syllables.length];
    number = Math.floor(number / syllables.length);
  } while (number > 0);
  return word;
}
