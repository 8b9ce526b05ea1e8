import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodeWav } from "../src/data/audio/wav.ts";
import { Generator } from "../src/tensor/random.ts";

export const RATE = 8000;

/** The tone that each letter is. */
const hertz: Record<string, number> = { a: 400, b: 1000, c: 2200 };

/** Letters as tones of 60 to 100 ms, blanks as pauses of 80, in a little noise. */
export function tones(text: string, random = new Generator(1)): Float32Array {
  const samples: number[] = [];
  const noise = () => 0.02 * random.normal();
  const silence = (seconds: number) => {
    for (let i = 0; i < seconds * RATE; i++) samples.push(noise());
  };
  silence(0.05);
  for (const letter of text) {
    if (letter === " ") silence(0.08);
    else {
      const length = (0.06 + 0.04 * random.uniform()) * RATE;
      for (let i = 0; i < length; i++) {
        samples.push(0.4 * Math.sin((2 * Math.PI * hertz[letter]! * i) / RATE) + noise());
      }
      silence(0.03);
    }
  }
  silence(0.05);
  return Float32Array.from(samples);
}

/** Words that tones say. */
export function sayings(count: number, random: Generator): string[] {
  const word = () => Array.from({ length: 1 + random.below(3) }, () => "abc"[random.below(3)]).join("");
  return Array.from({ length: count }, () => Array.from({ length: 1 + random.below(2) }, word).join(" "));
}

/** A folder with recordings and a manifest of them; gives the manifest's path. */
export function writeTones(folder: string, name: string, count: number, seed: number): string {
  const random = new Generator(seed);
  mkdirSync(join(folder, name), { recursive: true });
  const lines = sayings(count, random).map((text, i) => {
    const audio = join(name, `${i}.wav`);
    writeFileSync(join(folder, audio), encodeWav(tones(text, random), RATE));
    return JSON.stringify({ audio, text, speaker: i % 2 ? "odd" : "even" });
  });
  const manifest = join(folder, `${name}.jsonl`);
  writeFileSync(manifest, `${lines.join("\n")}\n`);
  return manifest;
}
