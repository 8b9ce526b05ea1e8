import { noGrad, step } from "../../autograd/step.ts";
import { add, mul, sub } from "../../ops/binary.ts";
import { linear } from "../../ops/linear.ts";
import { square } from "../../ops/pointwise.ts";
import { sum } from "../../ops/reduce.ts";
import { concat, slice, stack } from "../../ops/slice.ts";
import { softmax } from "../../ops/softmax.ts";
import { concatenate } from "../../optim/hessian-free.ts";
import { type Tensor, tensor, zeros } from "../../tensor/tensor.ts";
import type { MemoryNetwork } from "./network.ts";
import { problems } from "./problems.ts";

/** The tensors of a tanh net of one layer, or directions in which they change. */
type Weights = Record<"weightIh" | "weightHh" | "biasIh" | "biasHh" | "weightOut" | "biasOut", Tensor>;

/**
 * (G + structural·S)·v for a tanh net of one layer, v and the product in the order of its parameters: G = Jᵀ·H_L·J, with J the
 * derivatives of the answers and H_L the loss's Hessian with respect to these; S = J_hᵀ·J_h / N with J_h those of all
 * hidden states, the curvature of half their squared distance from what they are (Martens & Sutskever 2011, §3.2).
 *
 * J·v is Pearlmutter's R-operator, written here for this net: a second pass forward beside the first, with H × H products that
 * the kernels do. Jᵀ·u is the tape's backward pass, as it is. Finite differences would do for J·v too, but in float32 they
 * leave three digits of a state a hundred steps on, and conjugate gradients lose their conjugacy long before that.
 */
export function gaussNewtonProduct(
  network: MemoryNetwork,
  inputs: Tensor,
  v: Float64Array,
  structural: number,
): Float64Array {
  const parameters = network.parameters();
  step(() => {
    const N = inputs.shape[1]!;
    const { output: h } = network.rnn.forward(inputs);
    const answers = network.answersOf(h);
    const [uAnswers, uStates] = noGrad(() => {
      const changed = directions(network, v);
      const r = changeOfStates(weightsOf(network), changed, inputs, h);
      const count = problems[network.config.problem].answers;
      const last = (x: Tensor) => slice(x, 0, x.shape[0]! - count);
      const change = add(
        linear(last(r), network.output.weight),
        linear(last(h), changed.weightOut, changed.biasOut),
      );
      return [hessianOfLoss(network, answers, change), mul(r, structural / N)];
    });
    const objective = sum(mul(answers, uAnswers));
    (structural > 0 ? add(objective, sum(mul(h, uStates))) : objective).backward();
  });
  return concatenate(
    parameters.map((parameter) => {
      const product = parameter.grad!.toArray();
      parameter.grad!.set(new Float32Array(parameter.size));
      return product;
    }),
  );
}

function weightsOf({ rnn, output }: MemoryNetwork): Weights {
  const { weight_ih_l0: weightIh, weight_hh_l0: weightHh, bias_ih_l0: biasIh, bias_hh_l0: biasHh } = rnn;
  return {
    ...{ weightIh: weightIh!, weightHh: weightHh!, biasIh: biasIh!, biasHh: biasHh! },
    ...{ weightOut: output.weight, biasOut: output.bias! },
  };
}

/** v as changes of the weights. */
function directions(network: MemoryNetwork, v: Float64Array): Weights {
  let at = 0;
  const parts = new Map<Tensor, Tensor>();
  for (const parameter of network.parameters()) {
    parts.set(parameter, tensor(v.slice(at, at + parameter.size), parameter.shape));
    at += parameter.size;
  }
  const entries = Object.entries(weightsOf(network)).map(([name, weight]) => [name, parts.get(weight)!]);
  return Object.fromEntries(entries) as Weights;
}

/**
 * R{h_t} = (1 − h_t²)∘(V_ih·x_t + v_ih + v_hh + V_hh·h_{t−1} + W_hh·R{h_{t−1}}), how the states h [T, N, H] change with the
 * weights; all but the last product are there for all steps at once.
 */
function changeOfStates({ weightHh }: Weights, v: Weights, inputs: Tensor, h: Tensor): Tensor {
  const [T, N, H] = h.shape as [number, number, number];
  const first = zeros([1, N, H]);
  const before = T > 1 ? concat([first, slice(h, 0, 0, T - 1)], 0) : first;
  const direct = add(linear(inputs, v.weightIh, add(v.biasIh, v.biasHh)), linear(before, v.weightHh));
  const slope = sub(1, square(h));
  const changes: Tensor[] = [];
  for (let t = 0; t < T; t++) {
    const at = (x: Tensor) => slice(x, 0, t, t + 1).reshape(N, H);
    const previous = changes[t - 1];
    const a = previous ? add(at(direct), linear(previous, weightHh)) : at(direct);
    changes.push(mul(at(slope), a));
  }
  return stack(changes, 0);
}

/** H_L·c for a change c of the answers [answers, N, outputSize]. */
function hessianOfLoss({ config: { problem } }: MemoryNetwork, answers: Tensor, c: Tensor): Tensor {
  const width = answers.shape[2]!;
  const rows = answers.size / width;
  if (problems[problem].answer === "number") return mul(c, 2 / rows);
  const p = softmax(answers);
  const pc = mul(p, c);
  return mul(sub(pc, mul(p, sum(pc, 2, { keepDims: true }))), 1 / rows);
}
