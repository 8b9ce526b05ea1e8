/** PyTorch loads what we write, by its own names, and computes the same: see scripts/torch_parity.py. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import {
  Embedding,
  GRU,
  LayerNorm,
  Linear,
  LSTM,
  Module,
  manualSeed,
  RNN,
  writeSafetensors,
} from "../../src/index.ts";
import { AdaptiveOutput } from "../../src/nn/adaptive-output.ts";
import { type Tensor, tensor } from "../../src/tensor/tensor.ts";

const python = process.env.UNROLLED_PYTHON ?? "/usr/bin/python3";
const script = fileURLToPath(new URL("../../scripts/torch_parity.py", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "unrolled-torch-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeAll(() => {
  if (spawnSync(python, ["-c", "import torch"]).status === 0) return;
  throw new Error(
    `torch parity: ${python} has no torch; install python3-torch, or name another in UNROLLED_PYTHON`,
  );
});

interface Case {
  /** A layer, its class in torch.nn and the options there, in our spelling. */
  layers: [layer: Module, kind: string, options: Record<string, unknown>][];
  /** [T, N, width], or tokens [T, N]. */
  input: Tensor;
  lengths?: number[];
  withState?: boolean;
}

const [T, N] = [6, 4];

const noise = (shape: readonly number[], seed = 1) =>
  tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(seed + i * i)),
    shape,
  );

const tokens = (V: number) =>
  tensor(
    Int32Array.from({ length: T * N }, (_, i) => (i * i) % V),
    [T, N],
  );

class Stack extends Module {
  [name: string]: unknown;
}

/** What the file holds: the weights, the input, and what we compute from them. */
function compute({ layers, input, lengths, withState }: Case): Map<string, Tensor> {
  const tensors = new Map([["input", input]]);
  if (lengths) tensors.set("lengths", tensor(Int32Array.from(lengths)));
  let x = input;
  for (const [layer] of layers) {
    if (layer instanceof RNN || layer instanceof GRU || layer instanceof LSTM) {
      const state: Record<string, Tensor> = layer.zeroState(N);
      if (withState) {
        for (const [name, zeros] of Object.entries(state)) {
          state[name] = noise(zeros.shape, 3);
          tensors.set(`state.${name}`, state[name]);
        }
      }
      const done = (layer as LSTM).forward(x, { state: state as never, lengths: tensors.get("lengths") });
      for (const [name, part] of Object.entries(done.state)) tensors.set(`expected.${name}`, part);
      x = done.output;
    } else x = (layer as Linear).forward(x);
  }
  tensors.set("expected.output", x);
  const stack = Object.assign(
    new Stack(),
    Object.fromEntries(layers.map(([layer], i) => [`layer${i}`, layer])),
  );
  for (const [name, t] of stack.stateDict()) tensors.set(`model.${name}`, t);
  return tensors;
}

function write(name: string, { layers }: Case, tensors: Map<string, Tensor>): string {
  const path = join(folder, name);
  const modules = layers.map(([, kind, options], i) => [`layer${i}`, kind, options]);
  writeFileSync(path, writeSafetensors(tensors, { modules: JSON.stringify(modules) }));
  return path;
}

function compare(paths: string[]) {
  const env = { ...process.env, OMP_NUM_THREADS: "1", OPENBLAS_NUM_THREADS: "1" };
  return spawnSync(python, [script, ...paths], { encoding: "utf8", env });
}

const recurrent = { RNN, GRU, LSTM };
const sizes = { inputSize: 5, hiddenSize: 7 };

function layerOf(kind: keyof typeof recurrent, options: object, rest: Partial<Case> = {}): Case {
  const all = { ...sizes, ...options };
  return { layers: [[new recurrent[kind](all), kind, all]], input: noise([T, N, 5]), ...rest };
}

function casesOf(kind: keyof typeof recurrent): Case[] {
  return [
    layerOf(kind, {}),
    layerOf(kind, { bias: false, numLayers: 2 }, { withState: true }),
    layerOf(kind, { numLayers: 3, bidirectional: true }, { withState: true }),
    layerOf(kind, { bidirectional: true }, { withState: true, lengths: [3, 6, 1, 4] }),
  ];
}

manualSeed(11);
const cases: Case[] = [
  { layers: [[new Linear(5, 3), "Linear", { inFeatures: 5, outFeatures: 3 }]], input: noise([T, N, 5]) },
  {
    layers: [[new Embedding(11, 6), "Embedding", { numEmbeddings: 11, embeddingDim: 6 }]],
    input: tokens(11),
  },
  { layers: [[new LayerNorm(9), "LayerNorm", { normalizedShape: 9 }]], input: noise([T, N, 9]) },
  {
    layers: [
      [
        new AdaptiveOutput({ inFeatures: 16, vocabularySize: 30, cutoffs: [8, 20] }),
        "AdaptiveLogSoftmaxWithLoss",
        { inFeatures: 16, nClasses: 30, cutoffs: [8, 20] },
      ],
    ],
    input: noise([T, N, 16]),
  },
  ...casesOf("RNN"),
  ...casesOf("GRU"),
  ...casesOf("LSTM"),
  layerOf("RNN", { nonlinearity: "relu" }),
  layerOf("LSTM", { projSize: 4, numLayers: 2, bidirectional: true }, { withState: true }),
  {
    layers: [
      [new Embedding(65, 32), "Embedding", { numEmbeddings: 65, embeddingDim: 32 }],
      [
        new LSTM({ inputSize: 32, hiddenSize: 64, numLayers: 2 }),
        "LSTM",
        { inputSize: 32, hiddenSize: 64, numLayers: 2 },
      ],
      [new Linear(64, 65, { bias: false }), "Linear", { inFeatures: 64, outFeatures: 65, bias: false }],
    ],
    input: tokens(65),
  },
];

it("PyTorch computes the same from the same file, for every layer", () => {
  const paths = cases.map((test, i) => write(`${i}.safetensors`, test, compute(test)));
  const { status, stdout, stderr } = compare(paths);
  expect(stderr).toBe("");
  expect(stdout.match(/^ok /gm), stdout).toHaveLength(cases.length);
  expect(status).toBe(0);
});

it("the comparison can fail: a changed and a missing weight are noticed", () => {
  const [test] = casesOf("LSTM");
  const tensors = compute(test!);
  const bias = tensors.get("model.layer0.bias_hh_l0")!;
  bias.set(bias.toArray().with(0, 1));
  const { status, stdout } = compare([write("changed.safetensors", test!, tensors)]);
  expect(stdout).toMatch(/^BAD /m);
  expect(status).toBe(1);
  tensors.delete("model.layer0.bias_hh_l0");
  expect(compare([write("missing.safetensors", test!, tensors)]).stderr).toContain("layer0.bias_hh_l0");
});
