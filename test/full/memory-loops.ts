/** What memory.test.ts watches: prints the resident set in MiB at the start and after every tenth of the loop. */
import {
  Adam,
  clipGradNorm,
  crossEntropy,
  Embedding,
  Linear,
  LSTM,
  type LSTMState,
  Module,
  step,
  tensor,
} from "../../src/index.ts";

class Model extends Module {
  readonly embedding = new Embedding(20, 16);
  readonly lstm = new LSTM({ inputSize: 16, hiddenSize: 24, numLayers: 2, dropout: 0.1 });
  readonly output = new Linear(24, 20);
}

const x = tensor(
  Int32Array.from({ length: 40 }, (_, i) => (i * 7) % 20),
  [10, 4],
);

const loops: Record<string, { count: number; body: (i: number) => void }> = {
  steps: { count: 10_000, body: trainingStep() },
  forwards: { count: 100_000, body: forward() },
  // The heap takes its memory in pieces of 16 MiB, the last of them within some hundreds.
  models: { count: 1000, body: newModel },
};

function trainingStep(): () => void {
  const model = new Model();
  const adam = new Adam(model.parameters(), { learningRate: 1e-3 });
  let state: LSTMState | undefined;
  return () => {
    state = step(() => {
      const { output, state: next } = model.lstm.forward(model.embedding.forward(x), { state });
      crossEntropy(model.output.forward(output), x).backward();
      clipGradNorm(model.parameters(), 5);
      adam.step();
      return next;
    });
  };
}

function forward(): () => void {
  const linear = new Linear(64, 64);
  const input = tensor(new Float32Array(8 * 64), [8, 64]);
  return () => {
    linear.forward(input);
  };
}

/** A megabyte of weights, used once. */
function newModel(i: number): void {
  const linear = new Linear(512, 512);
  linear.forward(tensor(new Float32Array(512), [1, 512]));
  if (i % 10 === 9) gc!();
}

const { count, body } = loops[process.argv[2]!]!;
const samples = [process.memoryUsage().rss];
for (let tenth = 0; tenth < 10; tenth++) {
  for (let i = 0; i < count / 10; i++) {
    body(i);
    // Finalizers, which give a dropped model's memory back, run between turns of the event loop.
    if (process.argv[2] === "models" && i % 10 === 9) await new Promise((resolve) => setTimeout(resolve, 0));
  }
  gc!();
  samples.push(process.memoryUsage().rss);
}
console.log(JSON.stringify(samples.map((bytes) => Math.round((bytes / 2 ** 20) * 10) / 10)));
