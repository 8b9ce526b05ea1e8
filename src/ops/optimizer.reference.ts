import type { ReferenceOf } from "../autograd/op.ts";
import type { adagradOp, adamOp, clampGradientOp, rmspropOp, sgdOp } from "./optimizer.ts";

export const sgd: ReferenceOf<typeof sgdOp> = {
  forward(
    { inputs: { parameter, gradient, velocity } },
    { learningRate, momentum, gain, nesterov, weightDecay },
  ) {
    for (let i = 0; i < parameter.length; i++) {
      let g = gradient[i]! + weightDecay * parameter[i]!;
      if (velocity.length > 0) {
        velocity[i] = momentum * velocity[i]! + gain * g;
        g = nesterov ? g + momentum * velocity[i]! : velocity[i]!;
      }
      parameter[i]! -= learningRate * g;
    }
    gradient.fill(0);
  },
};

/** Duchi et al. 2011. */
export const adagrad: ReferenceOf<typeof adagradOp> = {
  forward({ inputs: { parameter, gradient, sum } }, { learningRate, epsilon, weightDecay }) {
    for (let i = 0; i < parameter.length; i++) {
      const g = gradient[i]! + weightDecay * parameter[i]!;
      sum[i]! += g * g;
      parameter[i]! -= (learningRate * g) / (Math.sqrt(sum[i]!) + epsilon);
    }
    gradient.fill(0);
  },
};

/** Tieleman & Hinton 2012; centered: Graves 2013, eq. 38–41. */
export const rmsprop: ReferenceOf<typeof rmspropOp> = {
  forward({ inputs: { parameter, gradient, square, mean, velocity } }, options) {
    const { learningRate, alpha, epsilon, momentum, weightDecay } = options;
    for (let i = 0; i < parameter.length; i++) {
      const g = gradient[i]! + weightDecay * parameter[i]!;
      square[i] = alpha * square[i]! + (1 - alpha) * g * g;
      let variance = square[i]!;
      if (mean.length > 0) {
        mean[i] = alpha * mean[i]! + (1 - alpha) * g;
        variance = Math.max(variance - mean[i]! ** 2, 0);
      }
      let update = g / (Math.sqrt(variance) + epsilon);
      if (velocity.length > 0) {
        velocity[i] = momentum * velocity[i]! + update;
        update = velocity[i]!;
      }
      parameter[i]! -= learningRate * update;
    }
    gradient.fill(0);
  },
};

/** Kingma & Ba 2015, algorithm 1; decoupled: Loshchilov & Hutter 2019, algorithm 2. */
export const adam: ReferenceOf<typeof adamOp> = {
  forward({ inputs: { parameter, gradient, mean, square } }, options) {
    const { learningRate, beta1, beta2, epsilon, weightDecay, decoupled, step } = options;
    for (let i = 0; i < parameter.length; i++) {
      const p = parameter[i]!;
      const g = gradient[i]! + (decoupled ? 0 : weightDecay * p);
      mean[i] = beta1 * mean[i]! + (1 - beta1) * g;
      square[i] = beta2 * square[i]! + (1 - beta2) * g * g;
      const unbiasedMean = mean[i]! / (1 - beta1 ** step);
      const unbiasedSquare = square[i]! / (1 - beta2 ** step);
      const decayed = decoupled ? p - learningRate * weightDecay * p : p;
      parameter[i] = decayed - (learningRate * unbiasedMean) / (Math.sqrt(unbiasedSquare) + epsilon);
    }
    gradient.fill(0);
  },
};

export const clampGradient: ReferenceOf<typeof clampGradientOp> = {
  forward({ inputs: { x } }, { limit }) {
    for (let i = 0; i < x.length; i++) x[i] = Math.max(Math.min(x[i]!, limit), -limit);
  },
};
