import { element, text, textWidth } from "./svg.ts";
import { colorClass, FONT, styleSheet } from "./theme.ts";

/** Where a decoder looked: for each token that it wrote, and the end, the weight of each token that it read. */
export interface AttentionPicture {
  source: readonly string[];
  target: readonly string[];
  weights: readonly ArrayLike<number>[];
}

const CELL = 22;
const GAP = 8;
const MARGIN = 16;
/** What stands for the end of the target. */
const END = "■";

/** A blank at a token's edge is what begins or ends a word; by itself it is shown as one. */
const shown = (token: string) => token.trim() || "␣";

/** Rows are what was written, columns what was read; the darker a cell, the more it was looked at. */
export function attentionChart({ source, target, weights }: AttentionPicture): string {
  const rows = [...target.map(shown), END].slice(0, weights.length);
  const columns = source.map(shown);
  const widest = (labels: readonly string[]) => Math.max(...labels.map((label) => textWidth(label, FONT)));
  const left = MARGIN + widest(rows) + GAP;
  const top = MARGIN + widest(columns) + GAP;
  const width = left + CELL * columns.length + MARGIN;
  const height = top + CELL * rows.length + MARGIN;
  const cells = weights.map((row, i) =>
    Array.from(row, (weight, j) =>
      element(
        "rect",
        {
          ...{ x: left + CELL * j, y: top + CELL * i, width: CELL - 1, height: CELL - 1 },
          ...{ class: colorClass(0), fill: "currentColor", "fill-opacity": Math.max(0.04, weight) },
        },
        element("title", {}, `${100 * weight < 1 ? "<1" : Math.round(100 * weight)} %`.replace("<", "&lt;")),
      ),
    ).join(""),
  );
  const rowLabels = rows.map((label, i) =>
    text({ x: left - GAP, y: top + CELL * (i + 0.5) + FONT / 3, "text-anchor": "end" }, label),
  );
  const columnLabels = columns.map((label, j) => {
    const x = left + CELL * (j + 0.5) + FONT / 3;
    return text({ x, y: top - GAP, transform: `rotate(-90 ${x} ${top - GAP})` }, label);
  });
  return `${element(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      class: "unrolled-chart",
      viewBox: `0 0 ${Math.ceil(width)} ${Math.ceil(height)}`,
      width: Math.ceil(width),
      height: Math.ceil(height),
      role: "img",
      "aria-label": `where was looked: ${columns.join(" ")} → ${rows.join(" ")}`,
    },
    element("style", {}, styleSheet()),
    element("rect", { class: "ground", width: "100%", height: "100%" }),
    ...cells,
    ...rowLabels,
    ...columnLabels,
  )}\n`;
}
