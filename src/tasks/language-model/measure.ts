import { type Profile, Profiler } from "../../autograd/profile.ts";
import { step } from "../../autograd/step.ts";
import { crossEntropy } from "../../ops/cross-entropy.ts";
import { Adam } from "../../optim/adam.ts";
import { clipGradNorm } from "../../optim/clip.ts";
import { tensor } from "../../tensor/tensor.ts";
import type { NetworkConfig } from "./config.ts";
import { LanguageModelNetwork } from "./network.ts";

export interface Measured {
  /** Median of the steps. */
  milliseconds: number;
  steps: number;
  tokensPerSecond: number;
}

export interface Measurement {
  /** Forward, loss, backward, clipping and Adam over a batch. */
  training: Measured;
  /** One token after the other: the logits of the next. */
  streaming: Measured;
  /** Of training steps, if asked for. */
  profile?: Profile;
}

interface MeasureOptions {
  batchSize: number;
  seqLength: number;
  /** For each of the measurements. */
  seconds: number;
  profile: boolean;
}

/** What a language model of this architecture costs on this machine, trained and run; its tokens mean nothing. */
export function measureLanguageModel(config: NetworkConfig, options: MeasureOptions): Measurement {
  const { batchSize: N, seqLength: T, seconds } = options;
  const { vocabularySize: V } = config;
  const tokens = Int32Array.from({ length: T * N }, (_, i) => (i * 7919 + (i >> 3)) % V);
  const inputs = tensor(tokens, [T, N]);
  const targets = tensor(tokens.toReversed(), [T, N]);
  const network = new LanguageModelNetwork(config);
  const optimizer = new Adam(network.parameters(), { learningRate: 1e-3 });
  const update = () =>
    step(() => {
      const loss = crossEntropy(network.forward(inputs).logits, targets);
      loss.backward();
      clipGradNorm(network.parameters(), 5);
      optimizer.step();
    });
  const training = measure(update, T * N, seconds);
  const profiler = options.profile ? new Profiler() : undefined;
  if (profiler) measure(() => profiler.run(update), T * N, seconds);

  network.eval();
  const stream = network.stream();
  let at = 0;
  const next = () => {
    stream.step(tokens[at++ % tokens.length]!);
  };
  return { training, streaming: measure(next, 1, seconds), ...(profiler && { profile: profiler.result() }) };
}

function measure(f: () => void, tokens: number, seconds: number): Measured {
  f();
  const times: number[] = [];
  const deadline = performance.now() + 1000 * seconds;
  do {
    const started = performance.now();
    f();
    times.push(performance.now() - started);
  } while (performance.now() < deadline);
  const milliseconds = times.sort((a, b) => a - b)[times.length >> 1]!;
  return { milliseconds, steps: times.length, tokensPerSecond: (1000 * tokens) / milliseconds };
}
