import { expect, it } from "vitest";
import { getEngine } from "../engine/engine.ts";
import { Generator } from "../tensor/random.ts";
import type { Shape } from "../tensor/shape.ts";
import { parameter, persistentZeros, type Tensor, tensor, zeros } from "../tensor/tensor.ts";
import { lstm } from "./lstm.ts";
import { createLstmStream } from "./lstm-stream.ts";

const generator = new Generator(8);
const draw = (shape: Shape) => {
  const length = shape.reduce((a, b) => a * b, 1);
  return parameter(
    Float32Array.from({ length }, () => 0.3 * generator.normal()),
    shape,
  );
};

function weights(I: number, H: number, P?: number) {
  const R = P ?? H;
  return {
    weightIh: draw([4 * H, I]),
    weightHh: draw([4 * H, R]),
    biasIh: draw([4 * H]),
    biasHh: draw([4 * H]),
    ...(P ? { weightHr: draw([P, H]), peephole: draw([3, H]) } : {}),
  };
}

const rowsAt = (t: Tensor, time: number) => {
  const size = t.size / t.shape[0]!;
  return t.toArray().slice(time * size, (time + 1) * size);
};

it.each([1, 3, 50])("two layers give the bits of whole sequences, batch %i", (N) => {
  const [T, I, H] = [5, 19, 100];
  const [below, above] = [weights(I, H, 21), weights(21, H)];
  const x = draw([T, N, I]);
  const [h0, c0] = [draw([N, H]), draw([N, H])];
  const first = lstm({ input: x, ...below });
  const second = lstm({ input: first.output, ...above, h0, c0 });

  const input = persistentZeros([N, I]);
  const one = createLstmStream(below, input);
  const two = createLstmStream(above, one.h);
  two.h.set(h0.toArray());
  two.c.set(c0.toArray());
  for (let t = 0; t < T; t++) {
    input.set(rowsAt(x, t));
    one.step();
    two.step();
    expect(one.h.toArray()).toEqual(rowsAt(first.output, t));
    expect(two.h.toArray()).toEqual(rowsAt(second.output, t));
  }
  expect(one.c.toArray()).toEqual(first.c.toArray());
  expect(two.c.toArray()).toEqual(second.c.toArray());
});

it("keeps the weights it began with, and allocates nothing", () => {
  const input = persistentZeros([2, 8]);
  input.set(draw([2, 8]).toArray());
  const own = weights(8, 12, 4);
  const [one, other] = [createLstmStream(own, input), createLstmStream(own, input)];
  one.step();
  for (const w of Object.values(own)) w.set(new Float32Array(w.size));
  other.step();
  expect(other.h.toArray()).toEqual(one.h.toArray());

  const { memory } = getEngine();
  const before = [memory.size, memory.mark()];
  for (let i = 0; i < 1000; i++) one.step();
  expect([memory.size, memory.mark()]).toEqual(before);
});

it("says what does not fit", () => {
  const own = weights(8, 4);
  expect(() => createLstmStream(own, persistentZeros([2, 9]))).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: lstm: input must be [time, batch, 8], got [1, 2, 9]]`,
  );
  expect(() => createLstmStream(own, zeros([2, 8]))).toThrowErrorMatchingInlineSnapshot(`
    [UsageError: lstm: the input of a stream must stay where it is, got a tensor of a step
    hint: make it with persistentZeros([batch, width]) and set() it before each step]
  `);
  expect(() =>
    createLstmStream({ ...own, biasIh: tensor([1]) }, persistentZeros([2, 8])),
  ).toThrowErrorMatchingInlineSnapshot(`[ShapeError: lstm: biasIh must be [16], got [1]]`);
});
