import { describe, expect, it } from "vitest";
import { randomState } from "../../tensor/random.ts";
import { type Tensor, tensor } from "../../tensor/tensor.ts";
import { checkGradients, checkParity, type OpCase } from "../../testing/check-op.ts";
import { GRU } from "./gru.ts";
import { LSTM } from "./lstm.ts";
import { MLSTM } from "./multiplicative.ts";
import { RNN } from "./rnn.ts";
import { withZoneout, type ZoneoutOptions } from "./zoneout.ts";

const layers = { RNN, GRU, LSTM, MLSTM };
const [T, N, I, H] = [5, 3, 2, 4];
const noise = (shape: number[], seed = 1) =>
  tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(seed + i * i)),
    shape,
  );

const cases: [keyof typeof layers, ZoneoutOptions, object][] = [
  ["RNN", { h: 0.3 }, { numLayers: 2 }],
  ["GRU", { h: 0.5 }, { bidirectional: true }],
  ["LSTM", { h: 0.2, c: 0.5 }, { numLayers: 2, dropout: 0.3, variationalDropout: true }],
  ["LSTM", { c: 0.5 }, { projSize: 2, bidirectional: true }],
  ["MLSTM", { h: 0.5, c: 0.1 }, {}],
];

function asCase(
  kind: keyof typeof layers,
  rates: ZoneoutOptions,
  options: object,
  training: boolean,
): OpCase {
  const layer = withZoneout(new layers[kind]({ inputSize: I, hiddenSize: H, ...options }), rates).train(
    training,
  );
  const shapes: OpCase["shapes"] = { input: [T, N, I] };
  for (const [name, p] of layer.namedParameters()) shapes[name] = p.shape;
  for (const [name, part] of Object.entries(layer.zeroState(N))) shapes[name] = part.shape;
  return {
    name: `${kind} ${JSON.stringify(rates)}`,
    shapes,
    run({ input, h, c, ...weights }) {
      const now = Object.assign(layer, weights) as LSTM;
      const state = { h: h!, ...(c && { c }) } as { h: Tensor; c: Tensor };
      const done = now.forward(input!, { state, lengths: tensor(Int32Array.of(T, 2, 4)) });
      return [done.output, ...Object.values(done.state)];
    },
  };
}

describe.each(cases)("%s with zoneout %j and %j", (kind, rates, options) => {
  it.each([true, false])(
    "has the gradients of the reference and of differences, in training %s",
    (training) => {
      checkParity(asCase(kind, rates, options, training));
      checkGradients(asCase(kind, rates, options, training));
    },
  );
});

/** The equations by hand, from the layer's own steps without zoneout. */
function byHand(
  layer: LSTM,
  x: Tensor,
  mix: (part: "h" | "c", t: number, was: number, is: number) => number,
) {
  let state = layer.zeroState(N);
  const outputs: number[] = [];
  const values = x.toArray();
  for (let t = 0; t < T; t++) {
    const at = tensor(values.slice(t * N * I, (t + 1) * N * I), [N, I]);
    const next = layer.step(at, state).state;
    const blended = (part: "h" | "c") => {
      const before = state[part].toArray();
      return tensor(
        next[part].toArray().map((is, i) => mix(part, t, before[i]!, is)),
        [1, N, H],
      );
    };
    state = { h: blended("h"), c: blended("c") };
    outputs.push(...state.h.toArray());
  }
  return outputs;
}

describe("zoneout", () => {
  const rates = { h: 0.25, c: 0.6 };
  const plain = new LSTM({ inputSize: I, hiddenSize: H });
  const zoned = withZoneout(new LSTM({ inputSize: I, hiddenSize: H }), rates);
  zoned.loadStateDict(plain.stateDict());
  const x = noise([T, N, I]);

  it("is the mean of what might be held, outside of training", () => {
    const { output } = zoned.eval().forward(x);
    const expected = byHand(plain, x, (part, _, was, is) => rates[part] * was + (1 - rates[part]) * is);
    for (const [i, y] of output.toArray().entries()) expect(y).toBeCloseTo(expected[i]!, 6);
    let state = zoned.zeroState(N);
    const values = x.toArray();
    const stepped: number[] = [];
    for (let t = 0; t < T; t++) {
      const done = zoned.step(tensor(values.slice(t * N * I, (t + 1) * N * I), [N, I]), state);
      state = done.state;
      stepped.push(...done.output.toArray());
    }
    expect(stepped).toEqual([...output.toArray()]);
    const stream = zoned.stream({ batchSize: N });
    expect([...stream.steps(values as Float32Array)]).toEqual(stepped);
  });

  it("holds units in training, as often as it says, each part for itself", () => {
    const wide = withZoneout(new LSTM({ inputSize: I, hiddenSize: 500 }), rates);
    randomState.step = 3;
    const { output, state } = wide.forward(noise([2, N, I]));
    const values = output.toArray();
    const held = (t: number) => {
      let count = 0;
      for (let i = 0; i < N * 500; i++) {
        if (values[t * N * 500 + i] === (t === 0 ? 0 : values[(t - 1) * N * 500 + i])) count++;
      }
      return count / (N * 500);
    };
    expect(held(0)).toBeCloseTo(rates.h, 1);
    expect(held(1)).toBeCloseTo(rates.h, 1);
    const cells = state.c.toArray();
    expect(cells.filter((c) => c === 0).length / cells.length).toBeCloseTo(rates.c ** 2, 1);
    randomState.step = 4;
    expect(wide.forward(noise([2, N, I])).output.toArray()).not.toEqual(values);
    randomState.step = 3;
    expect(wide.forward(noise([2, N, I])).output.toArray()).toEqual(values);
  });

  it("refuses what does not fit", () => {
    const gru = new GRU({ inputSize: 1, hiddenSize: 1 });
    expect(() => withZoneout(gru, { c: 0.5 })).toThrowErrorMatchingInlineSnapshot(
      `[OptionError: withZoneout: c is of cells that have one, and GRU has h alone]`,
    );
    const rnn = new RNN({ inputSize: 1, hiddenSize: 1, omega: 2 });
    expect(() => withZoneout(rnn, { h: 0.5 })).toThrowErrorMatchingInlineSnapshot(
      `[OptionError: withZoneout: omega is of a state that goes from step to step as the cell left it]`,
    );
    expect(() => withZoneout(gru, { h: 1 })).toThrowErrorMatchingInlineSnapshot(
      `[OptionError: withZoneout: h must be a number 0 or more and below 1, got 1]`,
    );
  });
});
