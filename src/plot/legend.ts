import { shapeOf } from "./shapes.ts";
import { element, text, textWidth } from "./svg.ts";
import { colorClass, FONT } from "./theme.ts";

const KEY = 26;
const GAP = 20;
const ROW = 20;

interface Entry {
  name: string;
  style: "line" | "marks" | "faint";
  color: number;
}

/** The names of the curves, each once, beside how they are drawn; in as many rows as it takes. */
export function legend(
  curves: readonly Entry[],
  { left, top, right }: { left: number; top: number; right: number },
): { drawn: string; bottom: number } {
  const names = [...new Set(curves.flatMap(({ name, style }) => (style === "faint" ? [] : [name])))];
  let [x, y] = [left, top];
  const drawn = names.map((name) => {
    const same = curves.filter((curve) => curve.name === name);
    const width = KEY + textWidth(name, FONT);
    if (x > left && x + width > right) [x, y] = [left, y + ROW];
    const middle = y + ROW / 2;
    const { color } = same[0]!;
    const parts: string[] = [];
    if (same.some(({ style }) => style === "line")) {
      parts.push(
        element("line", {
          x1: x,
          x2: x + 18,
          y1: middle,
          y2: middle,
          stroke: "currentColor",
          "stroke-width": 2,
        }),
      );
    }
    if (same.some(({ style }) => style === "marks")) {
      const transform = `translate(${x + 9},${middle})`;
      parts.push(element("path", { d: shapeOf(color, 48), transform, class: "halo", fill: "currentColor" }));
    }
    parts.push(text({ x: x + KEY, y: middle + 4 }, name));
    x += width + GAP;
    return element("g", { class: colorClass(color) }, ...parts);
  });
  return { drawn: drawn.join(""), bottom: names.length === 0 ? top : y + ROW };
}
