/**
 * How a filter's triangle is drawn: straight on the mel scale (Kaldi, HTK); or straight in Hz with its corners at the
 * transform's frequencies and an area of one (Sphinx).
 */
export type MelScale = "mel-triangles" | "rounded-unit-area";

/** Weights of the frequencies from `first` on. */
export interface MelFilter {
  first: number;
  weights: Float64Array;
}

export const hertzToMel = (hertz: number) => 2595 * Math.log10(1 + hertz / 700);
export const melToHertz = (mel: number) => 700 * (10 ** (mel / 2595) - 1);

interface Filters {
  melScale: MelScale;
  filters: number;
  low: number;
  high: number;
  fftSize: number;
  sampleRate: number;
}

/** Filters whose corners lie evenly on the mel scale; each begins and ends at its neighbours' peaks. */
export function melFilters({ melScale, filters, low, high, fftSize, sampleRate }: Filters): MelFilter[] {
  const step = (hertzToMel(high) - hertzToMel(low)) / (filters + 1);
  const spacing = sampleRate / fftSize;
  return Array.from({ length: filters }, (_, i) => {
    const mels = [i, i + 1, i + 2].map((corner) => hertzToMel(low) + corner * step) as [
      number,
      number,
      number,
    ];
    const hertz = mels.map((mel) => Math.floor(melToHertz(mel) / spacing + 0.5) * spacing) as [
      number,
      number,
      number,
    ];
    const weigh =
      melScale === "mel-triangles"
        ? (frequency: number) => triangle(hertzToMel(frequency), mels)
        : (frequency: number) => (2 * triangle(frequency, hertz)) / (hertz[2] - hertz[0]);
    const all = Float64Array.from({ length: fftSize / 2 + 1 }, (_, k) => Math.max(0, weigh(k * spacing)));
    // Half the sampling rate is nobody's: programs look at the frequencies below it.
    all[fftSize / 2] = 0;
    const first = all.findIndex((weight) => weight > 0);
    const last = all.findLastIndex((weight) => weight > 0);
    return {
      first: Math.max(0, first),
      weights: first < 0 ? new Float64Array(0) : all.slice(first, last + 1),
    };
  });
}

function triangle(x: number, [left, peak, right]: readonly [number, number, number]): number {
  const rising = peak > left ? (x - left) / (peak - left) : x === peak ? 1 : 0;
  const falling = right > peak ? (right - x) / (right - peak) : x === peak ? 1 : 0;
  return Math.min(rising, falling);
}

/**
 * With c[i, j] = cos(πi(j + ½)/N): `orthonormal` √(2/N)·c, √(1/N) for i = 0; `htk` √(2/N)·c for all; `sphinx` (its
 * "legacy") c/N, half that for j = 0.
 */
export type DctKind = "orthonormal" | "htk" | "sphinx";

/** The rows of the cosine transform, liftered. */
export function cosineTransform(
  kind: DctKind,
  N: number,
  coefficients: number,
  lifter: number,
): Float64Array[] {
  return Array.from({ length: coefficients }, (_, i) => {
    const lift = lifter > 0 ? 1 + (lifter / 2) * Math.sin((Math.PI * i) / lifter) : 1;
    return Float64Array.from({ length: N }, (_, j) => {
      const cosine = Math.cos((Math.PI * i * (j + 0.5)) / N);
      if (kind === "sphinx") return (lift * cosine * (j === 0 ? 0.5 : 1)) / N;
      return lift * cosine * Math.sqrt((kind === "orthonormal" && i === 0 ? 1 : 2) / N);
    });
  });
}
