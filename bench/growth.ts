/** How the cost of a training step grows with one size: fits, and a picture of ours beside PyTorch's. */
import { lineChart } from "../src/plot/line-chart.ts";
import { fit } from "./fit.ts";
import { fastest, find, ofKind, type Report } from "./results.ts";
import type { Axis, GrowthRow } from "./rows.ts";

type Point = readonly [size: number, milliseconds: number];

interface Growth {
  axis: Axis;
  /** The network, with the letter where the size is that grows. */
  network: string;
  /** Powers of the size in the fit: 1, but 2 for H, whose weights are H × H. */
  degree: number;
  curves: { name: string; points: Point[]; fit?: ReturnType<typeof fit> }[];
}

const titles: Record<Axis, string> = {
  T: "time steps T",
  N: "sequences N",
  H: "hidden units H",
  V: "vocabulary V",
};

const axes = Object.keys(titles) as Axis[];

export function growths(report: Report): Growth[] {
  return axes.flatMap((axis): Growth[] => {
    const rows = ofKind(report, "growth").filter(({ row }) => (row as GrowthRow).axis === axis);
    if (rows.length === 0) return [];
    const degree = axis === "H" ? 2 : 1;
    const curve = (
      name: string,
      of: (row: (typeof rows)[number]) => { milliseconds: number } | undefined,
    ) => {
      const points = rows.flatMap((row): Point[] => {
        const result = of(row);
        return result ? [[(row.row as GrowthRow).size, result.milliseconds]] : [];
      });
      return { name, points, ...(points.length > degree + 1 && { fit: fit(points, degree) }) };
    };
    const { name, size } = rows[0]!.row as GrowthRow;
    const network = name
      .replace(/^.* of /, "")
      .replace(axis === "H" ? ` ${size} ` : `${axis}${size}`, axis === "H" ? " H " : axis);
    return [
      {
        axis,
        network,
        degree,
        curves: [
          curve("unrolled, 1 thread", (row) => find(row, "unrolled", { threads: 1 })),
          curve("unrolled, 2 threads", (row) => find(row, "unrolled", { threads: 2 })),
          curve("PyTorch, 1 thread", (row) => fastest(row, "PyTorch", 1)),
          curve("PyTorch, 2 threads", (row) => fastest(row, "PyTorch", 2)),
        ].filter(({ points }) => points.length > 0),
      },
    ];
  });
}

/** `1.20 ms + 0.243 ms·T` */
export function formula({ coefficients }: ReturnType<typeof fit>, axis: Axis): string {
  return coefficients
    .map((c, i) => `${c.toPrecision(3)}${["", `·${axis}`, `·${axis}²`][i]}`)
    .join(" + ")
    .replaceAll("+ -", "− ");
}

export function picture({ axis, network, curves }: Growth): string {
  return lineChart({
    title: `A training step's time as ${titles[axis]} grow${axis === "V" ? "s" : ""}`,
    subtitle: network,
    x: { label: titles[axis], scale: "log" },
    y: { label: "milliseconds", scale: "log" },
    series: curves.map(({ name, points }, color) => ({ name, points, style: "marks", color })),
  });
}
