/** What memory.test.ts watches: by how many bytes JavaScript's heap grows in a million steps of two streams. */
import { LSTM } from "../../src/index.ts";

const layer = new LSTM({ inputSize: 16, hiddenSize: 24, numLayers: 2 });
const streams = [layer.stream(), layer.stream({ weights: "int8" })];
const x = new Float32Array(16).fill(0.5);
const run = (count: number) => {
  for (let i = 0; i < count; i++) for (const stream of streams) stream.step(x);
};

run(200_000); // until V8 has compiled it
gc!();
const before = process.memoryUsage().heapUsed;
run(1_000_000);
console.log(process.memoryUsage().heapUsed - before);
