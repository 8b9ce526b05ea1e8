import { element, text } from "./svg.ts";
import { FONT, styleSheet } from "./theme.ts";

/** Where a captioner looked: for each word that it wrote, and the end, the weight of each cell of a grid. */
export interface ImageAttentionPicture {
  words: readonly string[];
  rows: number;
  columns: number;
  weights: readonly ArrayLike<number>[];
}

/** Height and width of an image, in pixels. */
export const TILE = 140;
const GAP = 12;
const PER_ROW = 6;
const LABEL = FONT + 8;
/** What stands for the end of the caption. */
const END = "■";

/** The image once for each word, brighter where it was looked at. `image` is a PNG file, base64. */
export function imageAttentionChart(
  { words, rows, columns, weights }: ImageAttentionPicture,
  image: string,
): string {
  const labels = [...words, END].slice(0, weights.length);
  const across = Math.min(PER_ROW, labels.length);
  const width = GAP + across * (TILE + GAP);
  const height = GAP + Math.ceil(labels.length / PER_ROW) * (TILE + LABEL + GAP);
  const tiles = labels.map((label, i) => {
    const x = GAP + (i % PER_ROW) * (TILE + GAP);
    const y = GAP + Math.floor(i / PER_ROW) * (TILE + LABEL + GAP);
    return element(
      "g",
      { transform: `translate(${x} ${y})` },
      element("use", { href: "#image" }),
      ...shades(weights[i]!, rows, columns),
      text({ x: TILE / 2, y: TILE + FONT + 2, "text-anchor": "middle" }, label),
    );
  });
  const href = `data:image/png;base64,${image}`;
  return `${element(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      class: "unrolled-chart",
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      role: "img",
      "aria-label": `where was looked: ${words.join(" ")}`,
    },
    element("style", {}, styleSheet()),
    element("rect", { class: "ground", width: "100%", height: "100%" }),
    element(
      "defs",
      {},
      element("image", { id: "image", href, width: TILE, height: TILE, preserveAspectRatio: "none" }),
    ),
    ...tiles,
  )}\n`;
}

/** A cell is the darker the less it was looked at, beside the one that was looked at most. */
function shades(weights: ArrayLike<number>, rows: number, columns: number): string[] {
  const most = Math.max(...Array.from(weights));
  const [w, h] = [TILE / columns, TILE / rows];
  return Array.from(weights, (weight, cell) =>
    element(
      "rect",
      {
        ...{ x: (cell % columns) * w, y: Math.floor(cell / columns) * h, width: w, height: h },
        ...{ fill: "#000", "fill-opacity": 0.75 * (1 - weight / most) },
      },
      element("title", {}, `${Math.round(100 * weight)} %`),
    ),
  );
}
