/**
 * Colours that can be told apart, also by the colour-blind in the order in which they are used, each with a contrast of 3
 * or more to its ground. A chart brings its ground with it, and both follow the reader's choice of light or dark.
 */
export const light = {
  ground: "#ffffff",
  text: "#1f2328",
  muted: "#59636e",
  grid: "#e3e7eb",
  axis: "#8c959f",
  series: ["#0969da", "#bc4c00", "#1a7f37", "#bf3989", "#0b7285", "#8250df", "#7d5a00", "#cf222e"],
} as const;

export const dark = {
  ground: "#0d1117",
  text: "#f0f6fc",
  muted: "#9198a1",
  grid: "#262c36",
  axis: "#656c76",
  series: ["#58a6ff", "#f0883e", "#3fb950", "#f778ba", "#39c5cf", "#bc8cff", "#d4a72c", "#ff7b72"],
} as const;

export const FONT = 12;
export const TITLE_FONT = 16;

const FAMILY =
  'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", Arial, sans-serif';

/** The class of a series' colour; after the last they begin again. */
export function colorClass(index: number): string {
  return `c${index % light.series.length}`;
}

type Theme = typeof light | typeof dark;

function colors({ ground, text, muted, grid, axis, series }: Theme): string {
  const rules = [
    `.ground{fill:${ground}}`,
    `text{fill:${text}}`,
    `.muted{fill:${muted}}`,
    `.grid{stroke:${grid}}`,
    `.axis{stroke:${axis}}`,
    `.halo{stroke:${ground}}`,
    ...series.map((color, i) => `.${colorClass(i)}{color:${color}}`),
  ];
  return rules.map((rule) => `.unrolled-chart ${rule}`).join("");
}

/** The style of a chart, whose outermost element has the class `unrolled-chart`. */
export function styleSheet(): string {
  return (
    `.unrolled-chart text{font-family:${FAMILY};font-size:${FONT}px}` +
    `.unrolled-chart .title{font-size:${TITLE_FONT}px;font-weight:600}` +
    `${colors(light)}@media (prefers-color-scheme:dark){${colors(dark)}}`
  );
}
