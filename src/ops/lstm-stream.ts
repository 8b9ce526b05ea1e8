import { currentScope, step } from "../autograd/step.ts";
import { run } from "../engine/engine.ts";
import { UsageError } from "../errors.ts";
import { addressOf } from "../tensor/access.ts";
import type { Shape } from "../tensor/shape.ts";
import { persistentZeros, type Tensor } from "../tensor/tensor.ts";
import { matrix, pack, packedFloats, product, runProduct, transposed } from "./gemm.ts";
import { inferLstm, type LstmInputs } from "./lstm.ts";
import { checkSequence } from "./sequence.ts";

export interface LstmStream {
  /** [N, H], or P: the output. Both stay where they are and may be set, to begin elsewhere. */
  readonly h: Tensor;
  /** [N, H]. */
  readonly c: Tensor;
  /** Reads the input, moves h and c on by one step. */
  step(): void;
}

type LstmWeights = Omit<LstmInputs, "input" | "h0" | "c0" | "lengths">;

/**
 * An LSTM that is fed one step at a time, with the bits of `lstm` over all steps at once. The weights as they are now
 * are packed once, and a step allocates nothing. `input` [N, I] must stay in the engine's memory, as `persistentZeros`
 * does: write the next step's input there, or give another stream's h.
 */
export function createLstmStream(weights: LstmWeights, input: Tensor): LstmStream {
  checkSequence("lstm", { input, ...weights });
  if (!input.storage.persistent) {
    throw new UsageError("lstm: the input of a stream must stay where it is, got a tensor of a step", {
      hint: "make it with persistentZeros([batch, width]) and set() it before each step",
    });
  }
  const shapeOf = (t: Tensor | undefined): Shape => t?.shape ?? [];
  const sizes = inferLstm({
    x: [1, ...input.shape],
    weightIh: weights.weightIh.shape,
    weightHh: weights.weightHh.shape,
    biasIh: shapeOf(weights.biasIh),
    biasHh: shapeOf(weights.biasHh),
    weightHr: shapeOf(weights.weightHr),
    peephole: shapeOf(weights.peephole),
    h0: [],
    c0: [],
    lengths: [],
  });
  const { N, I, H, R } = sizes;
  const kept: Tensor[] = [];
  return step(() => {
    const address = (t: Tensor | undefined) => (t ? addressOf(t.storage, currentScope()!) : 0);
    const keep = (...shape: number[]) => {
      const t = persistentZeros(shape);
      kept.push(t);
      return t;
    };
    const allocate = (floats: number) => address(keep(floats));
    const packWeight = (weight: Tensor, bias = 0, bias2 = 0) => {
      const [n, k] = weight.shape as [number, number];
      const from = transposed(matrix(address(weight), n, k));
      return pack(from, bias, bias2, allocate(packedFloats(k, n)));
    };
    const { weightIh, weightHh, weightHr, peephole, biasIh, biasHh } = weights;
    const [h, c] = [keep(N, R), keep(N, H)];
    const gates = matrix(allocate(N * 4 * H), N, 4 * H);
    const packedIh = packWeight(weightIh, address(biasIh), address(biasHh));
    const fromInput = product(matrix(address(input), N, I), packedIh, gates, false, allocate);
    const fromState = product(matrix(address(h), N, R), packWeight(weightHh), gates, true, allocate);
    const cell = {
      x: 0,
      gates: gates.at,
      output: allocate(N * R),
      cells: allocate(N * H),
      hidden: allocate(N * H),
      h: address(h),
      c: address(c),
      weightIh: 0,
      weightHh: 0,
      weightHr: weightHr ? packWeight(weightHr).at : 0,
      peephole: 0,
      lengths: 0,
      ...{ T: 1, N, I, H, R, reverse: 0, scratch: fromInput.args.scratch, chunk: N },
    };
    if (peephole) {
      // A copy: the weights may move on while the stream keeps what it began with.
      const copy = keep(3, H);
      copy.set(peephole.toArray());
      cell.peephole = address(copy);
    }
    return {
      h,
      c,
      step() {
        void kept; // holds on to the memory
        runProduct(fromInput);
        runProduct(fromState);
        run("lstmForward", cell, N, N);
      },
    };
  });
}
