import { line } from "d3-shape";
import { type Box, drawAxes, labelsWidth, makeScale, type Scale } from "./axis.ts";
import { type Point, thin } from "./curve.ts";
import { element, escapeXml, text } from "./svg.ts";
import { colorClass, FONT, styleSheet } from "./theme.ts";

/** What a network that was trained by CTC hears as time goes on. */
export interface PosteriorPicture {
  title: string;
  /** The first is the blank. */
  labels: readonly string[];
  /** P of each label at each step: [steps][labels]. */
  probabilities: readonly ArrayLike<number>[];
  secondsPerStep: number;
}

const HEIGHT = 300;
const MARGIN = 24;
/** How wide a second is drawn, and the picture at least and at most. */
const SECOND = 260;
const NARROWEST = 640;
const WIDEST = 4000;
/** Labels that never are as likely are left out. */
const SEEN = 0.1;
/** A hill this high is named. */
const NAMED = 0.3;

const shown = (label: string) => (label.trim() === "" ? "␣" : label);

/** Probabilities of labels over time, each hill with its label on top, as figure 1 of Graves et al. (2006); the blank is dotted. */
export function posteriorChart({ title, labels, probabilities, secondsPerStep }: PosteriorPicture): string {
  const seconds = probabilities.length * secondsPerStep;
  const width = Math.round(Math.min(WIDEST, Math.max(NARROWEST, 2 * MARGIN + SECOND * seconds)));
  const [x, y] = [{ label: "seconds" }, { label: "probability" }];
  const scales = { x: makeScale(x, [0, seconds], false), y: makeScale(y, [0, 1], false) };
  const box: Box = {
    left: MARGIN + 8 + labelsWidth(scales.y),
    right: width - MARGIN,
    top: MARGIN + 60,
    bottom: HEIGHT - 54,
  };
  scales.x.range([box.left, box.right]);
  scales.y.range([box.bottom, box.top]);
  const curves = labels.flatMap((label, k) => {
    const points = probabilities.map((row, t): Point => [(t + 0.5) * secondsPerStep, row[k]!]);
    return points.some(([, p]) => p >= SEEN) ? [drawLabel(shown(label), k, points, scales, box)] : [];
  });
  return `${element(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      class: "unrolled-chart",
      role: "img",
      viewBox: `0 0 ${width} ${HEIGHT}`,
      width,
      height: HEIGHT,
    },
    element("title", {}, escapeXml(title)),
    element("style", {}, styleSheet()),
    element("rect", { class: "ground", width, height: HEIGHT, rx: 6 }),
    text({ class: "title", x: MARGIN, y: MARGIN + 10 }, title),
    drawAxes(x, y, scales, box),
    ...curves,
  )}\n`;
}

function drawLabel(
  label: string,
  k: number,
  points: readonly Point[],
  { x, y }: { x: Scale; y: Scale },
  box: Box,
): string {
  const blank = k === 0;
  const d = line<Point>(
    (point) => x(point[0]),
    (point) => y(point[1]),
  ).digits(1)(thin(points, box.right - box.left, x));
  const path = element("path", {
    d: d ?? "",
    fill: "none",
    stroke: "currentColor",
    "stroke-linejoin": "round",
    ...(blank ? { "stroke-dasharray": "1 3", "stroke-width": 1 } : { "stroke-width": 1.75 }),
  });
  const names = blank
    ? []
    : hills(points).map(([at, p]) =>
        text({ x: x(at), y: y(p) - 6, "text-anchor": "middle", fill: "currentColor" }, label),
      );
  const name = element("title", {}, escapeXml(blank ? "blank" : label));
  return element(
    "g",
    { class: blank ? "muted" : colorClass(k - 1), "font-size": FONT },
    name,
    path,
    ...names,
  );
}

/** The tops of a curve's hills. */
function hills(points: readonly Point[]): Point[] {
  const tops: Point[] = [];
  let top: Point | undefined;
  for (const point of [...points, [Infinity, 0] as Point]) {
    if (point[1] >= NAMED) top = !top || point[1] > top[1] ? point : top;
    else if (top) {
      tops.push(top);
      top = undefined;
    }
  }
  return tops;
}
