import { type ScaleContinuousNumeric, scaleLinear, scaleLog } from "d3-scale";
import type { Point } from "./curve.ts";
import { element, text, textWidth } from "./svg.ts";
import { FONT } from "./theme.ts";

export interface Axis {
  label: string;
  /** Default "linear". */
  scale?: "linear" | "log";
}

export type Scale = ScaleContinuousNumeric<number, number>;

/** A place in the picture. */
export interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** A scale over all values, without those that it cannot show; round numbers at both ends if `nice`. */
export function makeScale({ scale }: Axis, values: Iterable<number>, nice: boolean): Scale {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (!canShow(scale, value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) [low, high] = scale === "log" ? [1, 10] : [0, 1];
  if (low === high) {
    [low, high] =
      scale === "log"
        ? [low / 2, high * 2]
        : [low - Math.abs(low) / 10 - 0.1, high + Math.abs(high) / 10 + 0.1];
  }
  const made: Scale = (scale === "log" ? scaleLog() : scaleLinear()).domain([low, high]);
  return nice ? made.nice() : made;
}

function canShow(scale: Axis["scale"], value: number): boolean {
  return Number.isFinite(value) && (scale !== "log" || value > 0);
}

/** The points of a curve that both axes can show. */
export function shown(points: readonly Point[], x: Axis, y: Axis): Point[] {
  return points.filter((point) => canShow(x.scale, point[0]) && canShow(y.scale, point[1]));
}

/** Where there is a line across the picture, and what stands there; of a log scale, not at all of them. */
export function ticksOf(scale: Scale, count: number): { value: number; label: string }[] {
  const format = scale.tickFormat(count, formatOf(scale));
  return scale.ticks(count).map((value) => ({ value, label: value === 0 ? "0" : format(value) }));
}

/** 0.5, 2,000, but 20k and 3M; what is smaller than a ten-thousandth only shows on a log scale, as 1e-5. */
function formatOf(scale: Scale): string {
  const [low, high] = scale.domain() as [number, number];
  if (Math.max(Math.abs(low), Math.abs(high)) >= 1e4) return "~s";
  return "base" in scale && low < 1e-4 ? "~e" : ",~f";
}

const TICKS_ACROSS = 8;
const TICKS_UP = 6;

/** How wide the numbers on the axis that goes up are. */
export function labelsWidth(scale: Scale): number {
  return Math.max(...ticksOf(scale, TICKS_UP).map(({ label }) => textWidth(label, FONT)));
}

export function drawAxes(x: Axis, y: Axis, scales: { x: Scale; y: Scale }, box: Box): string {
  const parts: string[] = [];
  for (const { value, label } of ticksOf(scales.y, TICKS_UP)) {
    const at = scales.y(value);
    parts.push(element("line", { class: "grid", x1: box.left, x2: box.right, y1: at, y2: at }));
    parts.push(text({ class: "muted", x: box.left - 8, y: at + 4, "text-anchor": "end" }, label));
  }
  for (const { value, label } of ticksOf(scales.x, TICKS_ACROSS)) {
    const at = scales.x(value);
    const length = label === "" ? 3 : 5;
    parts.push(element("line", { class: "axis", x1: at, x2: at, y1: box.bottom, y2: box.bottom + length }));
    if (label)
      parts.push(text({ class: "muted", x: at, y: box.bottom + 19, "text-anchor": "middle" }, label));
  }
  parts.push(
    element("line", { class: "axis", x1: box.left, x2: box.right, y1: box.bottom, y2: box.bottom }),
    text({ x: (box.left + box.right) / 2, y: box.bottom + 40, "text-anchor": "middle" }, x.label),
    text({ x: box.left, y: box.top - 12, "text-anchor": "start" }, y.label),
  );
  return element("g", { "aria-hidden": "true" }, ...parts);
}
