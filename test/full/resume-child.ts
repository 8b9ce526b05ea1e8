/** A training that goes on in a folder, for resume.test.ts to kill: `node resume-child.ts FOLDER THREADS`. */
import { LanguageModel } from "../../src/tasks/language-model/task.ts";

const [, , out = "", threads = "1"] = process.argv;
const text = "the quick brown fox jumps over the lazy dog\n".repeat(60);
let told = false;

await LanguageModel.train(
  { text },
  {
    ...{ hiddenSize: 24, numLayers: 2, dropout: 0.2, batchSize: 4, seqLength: 16, learningRate: 0.5 },
    ...{
      optimizer: "sgd",
      schedule: "plateau",
      accumulate: 2,
      validateEvery: 7,
      checkpointEvery: 3,
      epochs: 4,
    },
    ...{ out, resume: true, threads: Number(threads) },
    onProgress() {
      if (!told) process.stdout.write("training\n");
      told = true;
    },
  },
);
