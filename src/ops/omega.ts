import { memoryKernels, rnnKernels } from "#kernels";
import { workspace } from "../autograd/backend.ts";
import { getEngine, share, use } from "../engine/engine.ts";
import { type Matrix, matrix, multiply, pack, transposed } from "./gemm.ts";
import { rowsAt, type Walk } from "./sequence-passes.ts";

const run = use(memoryKernels, rnnKernels);

export interface Omega {
  /** Of an Elman network: h [T·N, H], the gradient before f, W_hh, and the kernels' number of f. */
  output: Matrix;
  da: Matrix;
  weightHh: number;
  nonlinearity: number;
  /** What the gradient of Ω is multiplied by before it is added to dW. */
  factor: number;
  dW: number;
}

/**
 * dW += factor · ∂⁺Ω/∂W_hh, the immediate gradient of Pascanu et al. (2013, eq. 9 and 10): states and the gradients with
 * respect to them count as constants. Ω is the mean over the pairs of steps x_k, x_{k+1} that a gradient comes to.
 */
export function addOmegaGradient(
  walk: Walk,
  { output, da, weightHh, nonlinearity, factor, dW }: Omega,
): void {
  const { T, N, H, lengths, reverse } = walk;
  if (!dW || T === 1) return;
  const rows = (T - 1) * N;
  const later = { ...(reverse ? da : rowsAt(da, 1, N)), rows };
  const weight = matrix(weightHh, H, H);
  const u = matrix(workspace(rows * H), rows, H);
  multiply(later, pack(weight), u);
  const counted = workspace(rows);
  const args = { output: output.at, da: da.at, u: u.at, counted, lengths, T, N, H, nonlinearity };
  run("rnnOmega", { ...args, reverse: Number(reverse) }, rows, share(rows, 10 * rows * H));
  const pairs = getEngine()
    .memory.f32(counted, rows)
    .reduce((sum, one) => sum + one, 0);
  if (pairs === 0) return;
  const gradient = matrix(workspace(H * H), H, H);
  multiply(transposed(later), pack(u), gradient);
  run("axpy", { x: gradient.at, out: dW, alpha: factor / pairs }, H * H);
}
