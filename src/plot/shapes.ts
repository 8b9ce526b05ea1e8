import { symbol, symbolCircle, symbolDiamond, symbolSquare, symbolTriangle } from "d3-shape";

const SHAPES = [symbolCircle, symbolSquare, symbolTriangle, symbolDiamond] as const;

/** The outline of a series' marks, around (0, 0): others than its neighbours', for those who cannot tell the colours. */
export function shapeOf(color: number, area: number): string {
  return symbol(SHAPES[color % SHAPES.length], area)() ?? "";
}
