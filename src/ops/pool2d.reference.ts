import type { ReferenceOf } from "../autograd/op.ts";
import type { avgPool2dOp, maxPool2dOp } from "./pool2d.ts";
import { eachTap } from "./window.reference.ts";

export const maxPool2d: ReferenceOf<typeof maxPool2dOp> = {
  forward({ shapes, inputs: { x }, outputs: { y }, saved: { where } }, window) {
    const [H, W] = shapes.x.slice(2) as [number, number];
    y.fill(Number.NEGATIVE_INFINITY);
    eachTap([H, W], window, (place, pixel, _, places) => {
      for (let plane = 0; plane < y.length / places; plane++) {
        const value = x[plane * H * W + pixel]!;
        const at = plane * places + place;
        if (!(value > y[at]!) && !Number.isNaN(value)) continue;
        y[at] = value;
        where[at] = pixel;
      }
    });
  },
  backward({ shapes, saved: { where }, gradOutputs: { y: dy }, gradInputs: { x: dx } }) {
    const [H, W] = shapes.x.slice(2) as [number, number];
    const places = (dy.length * H * W) / dx.length;
    dy.forEach((g, i) => {
      dx[Math.floor(i / places) * H * W + where[i]!]! += g;
    });
  },
};

export const avgPool2d: ReferenceOf<typeof avgPool2dOp> = {
  forward({ shapes, inputs: { x }, outputs: { y } }, window) {
    const [H, W] = shapes.x.slice(2) as [number, number];
    const area = window.kernel[0] * window.kernel[1];
    y.fill(0);
    eachTap([H, W], window, (place, pixel, _, places) => {
      for (let plane = 0; plane < y.length / places; plane++) {
        y[plane * places + place]! += x[plane * H * W + pixel]! / area;
      }
    });
  },
  backward({ shapes, gradOutputs: { y: dy }, gradInputs: { x: dx } }, window) {
    const [H, W] = shapes.x.slice(2) as [number, number];
    const area = window.kernel[0] * window.kernel[1];
    eachTap([H, W], window, (place, pixel, _, places) => {
      for (let plane = 0; plane < dy.length / places; plane++) {
        dx[plane * H * W + pixel]! += dy[plane * places + place]! / area;
      }
    });
  },
};
