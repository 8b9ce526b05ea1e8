import { line } from "d3-shape";
import { type Axis, type Box, drawAxes, labelsWidth, makeScale, type Scale, shown } from "./axis.ts";
import { type Point, thin } from "./curve.ts";
import { legend } from "./legend.ts";
import { shapeOf } from "./shapes.ts";
import { element, escapeXml, round, text } from "./svg.ts";
import { colorClass, styleSheet } from "./theme.ts";

export interface Series {
  /** Series of one name share an entry of the legend. */
  name: string;
  points: readonly Point[];
  /**
   * A line; marks, on a thin line; or a faint line, which stands behind the others and is not in the legend. Default
   * "line".
   */
  style?: "line" | "marks" | "faint";
  /** Which of the colours, from 0. Default: the place of its name among the names. */
  color?: number;
}

export interface LineChart {
  title: string;
  /** A second line, smaller. */
  subtitle?: string;
  x: Axis;
  y: Axis;
  series: readonly Series[];
  width?: number;
  height?: number;
}

/** More marks than this on one curve are a blot. */
const MOST_MARKS = 40;

/** Curves over one axis as an SVG, for light and dark pages alike; it can stand alone or in a page. */
export function lineChart({ title, subtitle, x, y, series, width = 820, height = 480 }: LineChart): string {
  const names = [...new Set(series.map(({ name }) => name))];
  const curves = series.map(({ name, points, style = "line", color = names.indexOf(name) }) => ({
    name,
    style,
    color,
    points: shown(points, x, y),
  }));
  const scales = {
    x: makeScale(
      x,
      curves.flatMap(({ points }) => points.map((point) => point[0])),
      false,
    ),
    y: makeScale(
      y,
      curves.flatMap(({ points }) => points.map((point) => point[1])),
      true,
    ),
  };
  const left = 24;
  const key = legend(curves, { left, top: subtitle ? 66 : 46, right: width - left });
  const box: Box = {
    left: left + 8 + labelsWidth(scales.y),
    right: width - 24,
    top: key.bottom + 34,
    bottom: height - 54,
  };
  scales.x.range([box.left, box.right]);
  scales.y.range([box.bottom, box.top]);

  const depth = { faint: 0, line: 1, marks: 2 };
  const drawn = curves
    .filter(({ points }) => points.length > 0)
    .sort((a, b) => depth[a.style] - depth[b.style])
    .map((curve) => draw(curve, scales, box.right - box.left));
  return element(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      class: "unrolled-chart",
      role: "img",
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
    },
    element("title", {}, escapeXml(title)),
    element("desc", {}, escapeXml(describe(x, y, curves))),
    element("style", {}, styleSheet()),
    element("rect", { class: "ground", width, height, rx: 6 }),
    text({ class: "title", x: left, y: 34 }, title),
    ...(subtitle ? [text({ class: "muted", x: left, y: 54 }, subtitle)] : []),
    key.drawn,
    drawAxes(x, y, scales, box),
    ...drawn,
  );
}

type Curve = Required<Series>;

function draw(
  { name, style, color, points }: Curve,
  { x, y }: { x: Scale; y: Scale },
  width: number,
): string {
  const path = line<Point>(
    (point) => x(point[0]),
    (point) => y(point[1]),
  ).digits(1);
  const attributes = {
    fill: "none",
    stroke: "currentColor",
    "stroke-linejoin": "round",
    "stroke-linecap": "round",
  };
  const strokes = {
    faint: { "stroke-width": 1, "stroke-opacity": 0.28 },
    line: { "stroke-width": 2 },
    marks: { "stroke-width": 1.25, "stroke-dasharray": "1 3.5" },
  };
  const parts = [element("title", {}, escapeXml(name))];
  const d = path(thin(points, width, x)) ?? "";
  parts.push(element("path", { d, ...attributes, ...strokes[style] }));
  if (style === "marks") {
    const every = Math.ceil(points.length / MOST_MARKS);
    const shape = shapeOf(color, 48);
    for (const [i, point] of points.entries()) {
      if ((points.length - 1 - i) % every !== 0) continue;
      const at = `translate(${round(x(point[0]))},${round(y(point[1]))})`;
      parts.push(element("path", { class: "halo", d: shape, transform: at, fill: "currentColor" }));
    }
  }
  return element("g", { class: colorClass(color) }, ...parts);
}

/** The picture in words. */
function describe(x: Axis, y: Axis, curves: readonly Curve[]): string {
  const sentences = curves
    .filter(({ style, points }) => style !== "faint" && points.length > 0)
    .map(({ name, style, points }) => {
      const [first, last] = [points[0]!, points.at(-1)!];
      const lowest = points.reduce((low, point) => Math.min(low, point[1]), Infinity);
      const kind = style === "marks" ? `${name} (marks)` : name;
      return `${kind}: from ${brief(first[1])} at ${brief(first[0])} to ${brief(last[1])} at ${brief(last[0])}, lowest ${brief(lowest)}.`;
    });
  return [`${y.label} over ${x.label}${x.scale === "log" ? ", logarithmic" : ""}.`, ...sentences].join(" ");
}

const brief = (value: number) => String(Number(value.toPrecision(4)));
