import { noGrad, step } from "../../autograd/step.ts";
import { slice } from "../../ops/slice.ts";
import { HessianFree } from "../../optim/hessian-free.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { MemoryBatch } from "./batches.ts";
import { gaussNewtonProduct } from "./gauss-newton.ts";
import type { MemoryNetwork } from "./network.ts";
import type { ResolvedOptions } from "./options.ts";

/**
 * Hessian-free optimization of a memory network: a step's gradient and losses are those of a whole batch, its products
 * with the Gauss–Newton matrix of the batch's first sequences.
 */
export class MemoryHessianFree extends HessianFree {
  readonly #curvatureBatch: number | undefined;
  #batch: MemoryBatch | undefined;
  #curvatureInputs: Tensor | undefined;

  constructor(network: MemoryNetwork, options: ResolvedOptions) {
    const { damping, structuralDamping = 0.03, cgIterations: maxIterations } = options;
    super(
      network.parameters(),
      {
        loss: () => {
          const { inputs, targets } = this.#batch!;
          return step(() => noGrad(() => network.loss(network.forward(inputs), targets).item()));
        },
        product: (v, structural) => gaussNewtonProduct(network, this.#curvatureInputs!, v, structural),
      },
      {
        ...(damping !== undefined && { damping }),
        ...(maxIterations !== undefined && { maxIterations }),
        structuralDamping,
      },
    );
    this.#curvatureBatch = options.curvatureBatch;
  }

  /** Tells which batch the next step is about. */
  see(batch: MemoryBatch): void {
    const N = batch.inputs.shape[1]!;
    const count = Math.min(N, this.#curvatureBatch ?? Math.ceil(N / 4));
    this.#batch = batch;
    this.#curvatureInputs = step(() => slice(batch.inputs, 1, 0, count));
  }
}
