import { describe, expect, it } from "vitest";
import { readSafetensors, writeSafetensors } from "../io/safetensors.ts";
import { manualSeed } from "../tensor/random.ts";
import { parameter, type Tensor, tensor } from "../tensor/tensor.ts";
import * as init from "./init.ts";
import { Module } from "./module.ts";

class Layer extends Module {
  readonly weight: Tensor;
  readonly #hidden = parameter(new Float32Array(1), [1]);

  constructor(rows: number, columns: number) {
    super();
    this.weight = init.normal(parameter(new Float32Array(rows * columns), [rows, columns]));
  }

  protected override describe(): string {
    return this.weight.shape.join(", ") + (this.#hidden.size > 1 ? "?" : "");
  }

  stream(label?: string): number {
    return this.randomStream(label);
  }
}

class Net extends Module {
  readonly first = new Layer(2, 3);
  readonly layers = [new Layer(3, 3), new Layer(3, 1000)];
  readonly heads = { left: new Layer(1, 2), right: [new Layer(2, 2)] };
  readonly scale = parameter(new Float32Array([2]), [1]);
  readonly again = this.first;
  readonly tied = this.first.weight.reshape(3, 2);
  readonly constant = tensor([1, 2]);
  readonly options = { inputSize: 3, words: ["a", "b"], nothing: null };
}

describe("parts", () => {
  it("are found in properties, arrays and records, each once", () => {
    const net = new Net();
    expect([...net.namedParameters().keys()]).toMatchInlineSnapshot(`
      [
        "first.weight",
        "layers.0.weight",
        "layers.1.weight",
        "heads.left.weight",
        "heads.right.0.weight",
        "scale",
      ]
    `);
    expect([...net.namedModules().keys()]).toMatchInlineSnapshot(`
      [
        "",
        "first",
        "layers.0",
        "layers.1",
        "heads.left",
        "heads.right.0",
      ]
    `);
    expect(net.parameters()).toHaveLength(6);
  });

  it("may point at each other in circles", () => {
    const net = new Net() as Net & { parent?: unknown };
    net.parent = { net, record: net.options };
    expect(net.parameters()).toHaveLength(6);
    expect(String(net)).toContain("3,022 parameters");
  });

  it("must not share a name", () => {
    class Clash extends Module {
      readonly "a.b" = parameter(new Float32Array(1), [1]);
      readonly a = { b: parameter(new Float32Array(1), [1]) };
    }
    expect(() => new Clash().parameters()).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: module: two parameters have the name a.b]`,
    );
  });

  it("print as a tree", () => {
    expect(new Net().toString()).toMatchInlineSnapshot(`
      "Net(
        (first): Layer(2, 3)
        (layers.0): Layer(3, 3)
        (layers.1): Layer(3, 1000)
        (heads.left): Layer(1, 2)
        (heads.right.0): Layer(2, 2)
      ), 3,022 parameters"
    `);
    expect(String(new Layer(2, 3))).toMatchInlineSnapshot(`"Layer(2, 3), 6 parameters"`);
  });

  it("all turn to training and back", () => {
    const net = new Net();
    const modes = () => [...net.namedModules().values()].map((module) => module.training);
    expect(modes()).not.toContain(false);
    expect(net.eval()).toBe(net);
    expect(modes()).not.toContain(true);
    net.heads.left.train();
    expect(modes().filter(Boolean)).toHaveLength(1);
  });
});

describe("the state", () => {
  it("goes through a file and back", () => {
    const net = new Net();
    const other = new Net();
    other.loadStateDict(readSafetensors(writeSafetensors(net.stateDict())).tensors);
    expect([...other.stateDict()].map(([name, t]) => [name, t.toArray()])).toEqual(
      [...net.stateDict()].map(([name, t]) => [name, t.toArray()]),
    );
  });

  it("is a copy", () => {
    const net = new Net();
    const state = net.stateDict();
    net.scale.set([5]);
    expect(state.get("scale")!.item()).toBe(2);
    expect(state.get("scale")!.requiresGrad).toBe(false);
  });

  it("that does not fit is refused, with every reason, and nothing changes", () => {
    const net = new Net();
    const state = new Net().stateDict();
    state.delete("layers.0.weight");
    state.set("scale", tensor([1, 2]));
    state.set("first.weight", tensor(new Int32Array(6), [2, 3]));
    state.set("decoder.weight", tensor([1]));
    const before = writeSafetensors(net.stateDict());
    expect(() => net.loadStateDict(state)).toThrowErrorMatchingInlineSnapshot(`
      [FormatError: loadStateDict: the state does not fit Net:
        first.weight must be float32, got int32
        layers.0.weight is missing
        scale must be [1], got [2]
        decoder.weight is unexpected]
    `);
    expect(writeSafetensors(net.stateDict())).toEqual(before);
  });
});

describe("random streams", () => {
  it("follow the path, not the order of construction or of calls", () => {
    const [a, b] = [new Net(), new Net()];
    expect(a.first.stream()).not.toBe(b.first.stream());
    a.parameters();
    b.layers[0]!.parameters(); // an inner module first
    b.train();
    b.layers[0]!.parameters(); // and again: it stays where it is
    for (const [name, module] of a.namedModules()) {
      if (module instanceof Layer) {
        expect(module.stream()).toBe((b.namedModules().get(name) as Layer).stream());
      }
    }
  });

  it("are each another within a model, and unplaced modules do not share one", () => {
    const model = new Net();
    const nested = { a: new Net(), b: [new Net(), model] };
    class Root extends Module {
      readonly nested = nested;
    }
    const layers = [...new Root().namedModules().values()].filter((module) => module instanceof Layer);
    const streams = [...layers, new Layer(1, 1), new Layer(1, 1)].flatMap((layer) => [
      layer.stream(),
      layer.stream("l0"),
      layer.stream("l1"),
    ]);
    expect(new Set(streams).size).toBe(streams.length);
    expect(layers).toHaveLength(15);
  });
});

describe("initial values", () => {
  const made = (shape: number[], f: (t: Tensor) => Tensor) => {
    const values = [...f(parameter(new Float32Array(shape.reduce((a, b) => a * b)), shape)).toArray()];
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    const deviation = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length);
    return { values, mean, deviation, largest: Math.max(...values.map(Math.abs)) };
  };

  it("have the moments they claim", () => {
    manualSeed(3);
    const n = made([100, 200], (t) => init.normal(t, 1, 0.5));
    expect(n.mean).toBeCloseTo(1, 1);
    expect(n.deviation).toBeCloseTo(0.5, 2);
    const x = made([100, 200], (t) => init.xavierUniform(t, 2));
    expect(x.largest).toBeLessThanOrEqual(2 * Math.sqrt(6 / 300));
    expect(x.deviation).toBeCloseTo(2 * Math.sqrt(2 / 300), 2);
    expect(made([100, 200], (t) => init.xavierNormal(t)).deviation).toBeCloseTo(Math.sqrt(2 / 300), 2);
    expect(made([7], (t) => init.constant(t, 3)).values).toEqual(Array(7).fill(3));
  });

  it.each([
    [5, 12],
    [12, 5],
  ])("orthogonal [%i, %i] has orthonormal rows or columns", (rows, columns) => {
    const { values } = made([rows, columns], (t) => init.orthogonal(t));
    const at = (i: number, j: number) =>
      (rows < columns ? values[i * columns + j] : values[j * columns + i])!;
    for (let a = 0; a < 5; a++) {
      for (let b = 0; b < 5; b++) {
        let dot = 0;
        for (let j = 0; j < 12; j++) dot += at(a, j) * at(b, j);
        expect(dot).toBeCloseTo(a === b ? 1 : 0, 6);
      }
    }
  });

  it("repeat with the seed and differ from call to call", () => {
    const draw = () => [made([3, 3], init.normal).values, made([3, 3], init.normal).values];
    manualSeed(7);
    const first = draw();
    expect(first[0]).not.toEqual(first[1]);
    manualSeed(7);
    expect(draw()).toEqual(first);
  });

  it("of a vector have no fans", () => {
    expect(() => made([3], init.xavierUniform)).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: xavierUniform: tensor must be [out, in] or have more axes, got [3]]`,
    );
  });
});
