import { lineChart } from "./line-chart.ts";

/** Smaller ones make no difference to a sum of float32, and would press all others together. */
const SMALLEST = 1e-12;
const LARGEST = 1e12;

/** ‖∂h_T/∂h_t‖ over the lag T − t, of several models or parts of them; `norms` begins with lag 0. */
export function gradientChart(curves: readonly { name: string; norms: ArrayLike<number> }[]): string {
  return lineChart({
    title: "How far back gradients reach",
    subtitle: "1: the state is handed on unchanged · falling: gradients vanish · rising: they explode",
    x: { label: "lag T − t: steps back in time" },
    y: { label: "‖∂h_T/∂h_t‖ / √H", scale: "log" },
    series: curves.map(({ name, norms }) => ({
      name,
      points: Array.from(norms, (norm, lag) => [lag, norm] as const).filter(
        ([, norm]) => norm >= SMALLEST && norm <= LARGEST,
      ),
    })),
  });
}
