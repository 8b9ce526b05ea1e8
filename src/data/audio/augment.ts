import { OptionError } from "../../errors.ts";
import { Generator } from "../../tensor/random.ts";
import type { Frames } from "./context.ts";

/** SpecAugment's masks (Park et al. 2019, Table 1, whose policy LD these are, without time warping). */
export interface SpecAugmentOptions {
  /** Bands of up to F features each. */
  frequencyMasks?: number;
  frequencyWidth?: number;
  /** Stretches of up to T frames each, and of no more than p of them all. */
  timeMasks?: number;
  timeWidth?: number;
  timeRatio?: number;
}

/** Which utterance of which epoch: the masks depend on that, and on nothing that was drawn before. */
export interface Draw {
  seed: number;
  epoch: number;
  utterance: number;
}

/**
 * Masks bands and stretches of feature vectors with `fill`; 0, their mean once they are normalised, by default. A mask's
 * width is drawn from 0 to its greatest, then its place.
 */
export function specAugment(
  { values, size }: Frames,
  { seed, epoch, utterance }: Draw,
  options: SpecAugmentOptions = {},
  fill = 0,
): Frames {
  const { frequencyMasks = 2, frequencyWidth = 27, timeMasks = 2, timeWidth = 100, timeRatio = 1 } = options;
  const counts = { frequencyMasks, frequencyWidth, timeMasks, timeWidth };
  for (const [name, value] of Object.entries(counts)) {
    if (!Number.isInteger(value) || value < 0) {
      throw new OptionError(`specAugment: ${name} must be a whole number from 0 up, got ${value}`);
    }
  }
  if (!(timeRatio >= 0 && timeRatio <= 1)) {
    throw new OptionError(`specAugment: timeRatio must be from 0 to 1, got ${timeRatio}`);
  }
  const generator = new Generator(seed, utterance);
  // A draw takes far fewer blocks than lie between two epochs.
  generator.position = epoch * 2 ** 16;
  const out = values.slice();
  const frames = values.length / size;
  const draw = (greatest: number, of: number) => {
    const width = generator.below(Math.min(greatest, of) + 1);
    const from = generator.below(of - width + 1);
    return [from, from + width] as const;
  };
  for (let i = 0; i < frequencyMasks; i++) {
    const [from, to] = draw(frequencyWidth, size);
    for (let t = 0; t < frames; t++) out.fill(fill, t * size + from, t * size + to);
  }
  for (let i = 0; i < timeMasks; i++) {
    const [from, to] = draw(Math.min(timeWidth, Math.floor(timeRatio * frames)), frames);
    out.fill(fill, from * size, to * size);
  }
  return { values: out, size };
}
