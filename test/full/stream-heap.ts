/**
 * What memory.test.ts watches: by how many bytes JavaScript's heap grows in 250,000 steps of two streams. The least of
 * four rounds: V8 compiles in between, and what that takes is not the steps'.
 */
import { LSTM } from "../../src/index.ts";

const layer = new LSTM({ inputSize: 16, hiddenSize: 24, numLayers: 2 });
const streams = [layer.stream(), layer.stream({ weights: "int8" })];
const x = new Float32Array(16).fill(0.5);
const run = (count: number) => {
  for (let i = 0; i < count; i++) for (const stream of streams) stream.step(x);
};

run(200_000);
const growth = Array.from({ length: 4 }, () => {
  gc!();
  const before = process.memoryUsage().heapUsed;
  run(250_000);
  return process.memoryUsage().heapUsed - before;
});
console.log(Math.min(...growth));
