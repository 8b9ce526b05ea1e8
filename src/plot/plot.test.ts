import { describe, expect, it } from "vitest";
import { makeScale, ticksOf } from "./axis.ts";
import { type Point, smooth, thin } from "./curve.ts";
import { type LineChart, lineChart } from "./line-chart.ts";
import { dark, light } from "./theme.ts";

const curve = (n: number, f: (x: number) => number): Point[] =>
  Array.from({ length: n }, (_, i) => [i + 1, f(i + 1)]);

const chart = (given: Partial<LineChart> = {}): string =>
  lineChart({ title: "T", x: { label: "updates" }, y: { label: "loss" }, series: [], ...given });

const labels = (domain: [number, number], scale: "linear" | "log") =>
  ticksOf(makeScale({ label: "", scale }, domain, true), 6).flatMap(({ label }) => label || []);

describe("smoothing", () => {
  it("takes noise out and leaves a slope where it is", () => {
    const noisy = curve(1000, (x) => 5 - x / 1000 + 0.5 * (-1) ** x);
    const even = smooth(noisy, 40);
    for (const [x, y] of even.slice(100)) expect(Math.abs(y - (5 - x / 1000))).toBeLessThan(0.05);
  });

  it("of little width is none", () => {
    const points = curve(20, (x) => x % 3);
    expect(smooth(points, 1)).toEqual(points);
  });
});

it("thinning keeps the highest and the lowest of each column, in order", () => {
  const points = curve(10_000, (x) => (x === 5003 ? 9 : x === 7007 ? -9 : (x % 7) / 7));
  const kept = thin(points, 100, (x) => x / 100);
  expect(kept.length).toBeLessThanOrEqual(404);
  expect(kept).toContainEqual([5003, 9]);
  expect(kept).toContainEqual([7007, -9]);
  expect(kept.map(([x]) => x)).toEqual(kept.map(([x]) => x).toSorted((a, b) => a - b));
  expect([kept[0], kept.at(-1)]).toEqual([points[0], points.at(-1)]);
});

it.each([
  [[0, 9000], "linear", "0 2,000 4,000 6,000 8,000"],
  [[0, 2_400_000], "linear", "0 0.5M 1M 1.5M 2M"],
  [[1.21, 1.24], "linear", "1.21 1.215 1.22 1.225 1.23 1.235 1.24"],
  [[0.0001, 0.002], "linear", "0 0.0005 0.001 0.0015 0.002"],
  [[0.002, 3], "log", "0.001 0.01 0.1 1 10"],
  [[100, 20_000], "log", "100 200 1k 2k 10k 20k 100k"],
  [[1e-6, 1e-3], "log", "1e-6 2e-6 1e-5 2e-5 1e-4 2e-4 1e-3"],
] as const)("the axis from %j, %s, says %s", (domain, scale, expected) => {
  expect(labels([...domain], scale).join(" ")).toBe(expected);
});

describe("a line chart", () => {
  it("is an SVG that says in words what it shows", () => {
    const svg = chart({
      title: 'a < b & "c"',
      series: [
        { name: "training", points: curve(3, (x) => 4 - x) },
        { name: "validation", points: curve(3, (x) => 4.5 - x), style: "marks" },
        { name: "training", points: curve(3, (x) => 4 - x), style: "faint" },
      ],
    });
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"[^>]* role="img"/);
    expect(svg).toContain("<title>a &#60; b &#38; &#34;c&#34;</title>");
    expect(/<desc>(.*)<\/desc>/.exec(svg)?.[1]).toMatchInlineSnapshot(
      `"loss over updates. training: from 3 at 1 to 1 at 3, lowest 1. validation (marks): from 3.5 at 1 to 1.5 at 3, lowest 1.5."`,
    );
    // Each name once in the legend, in the colour of its curves.
    expect(svg.match(/>training<\/text>/g)).toHaveLength(1);
    expect(svg.match(/<g class="c0">/g)).toHaveLength(3);
    expect(svg.match(/<g class="c1">/g)).toHaveLength(2);
    // Every element that is opened is closed.
    const opened = svg.match(/<[a-z]+[^>]*[^/]>/g)!.map((tag) => /[a-z]+/.exec(tag)![0]);
    const closed = svg.match(/<\/[a-z]+>/g)!.map((tag) => /[a-z]+/.exec(tag)![0]);
    expect(closed.toSorted()).toEqual(opened.toSorted());
  });

  it("leaves out what an axis cannot show", () => {
    const points: Point[] = [
      [0, 1],
      [1, Number.NaN],
      [2, 3],
      [4, Number.POSITIVE_INFINITY],
      [8, 5],
    ];
    const svg = chart({ x: { label: "updates", scale: "log" }, series: [{ name: "a", points }] });
    expect(svg).toContain("a: from 3 at 2 to 5 at 8");
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });

  it("can be of one point, or of none", () => {
    for (const points of [[[3, 4]] as const, []]) {
      for (const scale of ["linear", "log"] as const) {
        const svg = chart({
          x: { label: "x", scale },
          y: { label: "y", scale },
          series: [{ name: "a", points }],
        });
        expect(svg).not.toMatch(/NaN|Infinity|undefined/);
      }
    }
  });

  it("gives names that are too long for a row another one", () => {
    const series = Array.from({ length: 12 }, (_, i) => ({
      name: `models/a-rather-long-name-${i}`,
      points: curve(2, (x) => x),
    }));
    const rows = [...chart({ series }).matchAll(/<text x="[\d.]+" y="([\d.]+)">models/g)].map(([, y]) => y);
    expect(new Set(rows).size).toBe(4);
  });
});

/** Of WCAG 2, from 1 to 21. */
function contrast(a: string, b: string): number {
  const luminance = (color: string) => {
    const [r, g, bl] = [1, 3, 5].map((at) => {
      const c = Number.parseInt(color.slice(at, at + 2), 16) / 255;
      return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r! + 0.7152 * g! + 0.0722 * bl!;
  };
  const [low, high] = [luminance(a), luminance(b)].toSorted((x, y) => x - y);
  return (high! + 0.05) / (low! + 0.05);
}

it.each([
  ["light", light],
  ["dark", dark],
])("can be read on %s ground", (_, { ground, text, muted, series }) => {
  for (const color of [text, muted]) expect(contrast(color, ground)).toBeGreaterThanOrEqual(4.5);
  for (const color of series) expect(contrast(color, ground)).toBeGreaterThanOrEqual(3);
});
