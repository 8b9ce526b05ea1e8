import { noGrad, step } from "../../autograd/step.ts";
import { eventLoopTurns } from "../../training/pause.ts";
import { MemoryBatches, type MemoryBatchesOptions } from "./batches.ts";
import type { MemoryNetwork } from "./network.ts";
import { type Problem, problems } from "./problems.ts";

export interface MemoryEvaluation {
  sequences: number;
  /** The mean, over sequences and answers, of −ln P of the right class, or of the squared error of a number. */
  loss: number;
  /** The part of the sequences with a wrong answer: of a number, one further off than the problem's tolerance. */
  wrong: number;
}

/** Sequences that go through the network at once. */
const BATCH = 100;

/** How well a network answers fresh sequences; undefined once aborted. */
export async function evaluateMemory(
  network: MemoryNetwork,
  sequences: number,
  options: Pick<MemoryBatchesOptions, "purpose" | "length" | "seed">,
  signal?: AbortSignal,
  onProgress?: (sequences: number) => void,
): Promise<MemoryEvaluation | undefined> {
  const problem = problems[network.config.problem];
  const pause = eventLoopTurns();
  network.eval();
  let [loss, wrong, done] = [0, 0, 0];
  while (done < sequences) {
    if (signal?.aborted) return undefined;
    const N = Math.min(BATCH, sequences - done);
    const batches = new MemoryBatches(problem, { ...options, batchSize: N, count: 2 ** 20 });
    const { inputs, truths } = batches.at(0, done / BATCH);
    const made = step(() =>
      noGrad(() => {
        const answers = network.forward(inputs);
        return { answers, loss: network.loss(answers, truths) };
      }),
    );
    loss += made.loss.item() * N;
    wrong += countWrong(made.answers.toArray(), truths.toArray(), problem, N);
    done += N;
    onProgress?.(done);
    await pause();
  }
  return { sequences, loss: loss / sequences, wrong: wrong / sequences };
}

/** Sequences of which not every answer [answers, N, outputSize] is right. */
function countWrong(
  answers: ArrayLike<number>,
  truths: ArrayLike<number>,
  { answer, answers: count, outputSize, tolerance = 0 }: Problem,
  N: number,
): number {
  const isWrong = (row: number) => {
    if (answer === "number") return !(Math.abs(answers[row]! - truths[row]!) <= tolerance);
    const logits = Array.from({ length: outputSize }, (_, c) => answers[row * outputSize + c]!);
    return logits.indexOf(Math.max(...logits)) !== truths[row];
  };
  let wrong = 0;
  for (let n = 0; n < N; n++) {
    wrong += Number(Array.from({ length: count }, (_, k) => k * N + n).some(isWrong));
  }
  return wrong;
}
