/** TensorFlow.js, its layers API as its guides show it; backend cpu or wasm from TFJS_BACKEND. */
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { rival, serve, tokens } from "./serve.ts";

const tf = await rival(() => import("@tensorflow/tfjs"), "@tensorflow/tfjs");
const backend = process.env.TFJS_BACKEND ?? "cpu";
if (backend === "wasm") {
  const wasm = await rival(() => import("@tensorflow/tfjs-backend-wasm"), "@tensorflow/tfjs-backend-wasm");
  const require = createRequire(import.meta.url);
  wasm.setWasmPaths(`${dirname(require.resolve("@tensorflow/tfjs-backend-wasm"))}/`);
}
await tf.setBackend(backend);
await tf.ready();

await serve(`TensorFlow.js ${tf.version.tfjs} ${backend}`, (row) => {
  if (row.kind !== "training" && row.kind !== "forward") throw new Error("training and forward only");
  const { cell, vocabulary: V, hiddenSize: H, numLayers, batch: N, time: T } = row;
  const make = { rnn: tf.layers.simpleRNN, lstm: tf.layers.lstm, gru: tf.layers.gru }[cell];
  const model = tf.sequential();
  model.add(tf.layers.embedding({ inputDim: V, outputDim: H, inputLength: T }));
  for (let i = 0; i < numLayers; i++) {
    model.add(
      make({
        units: H,
        returnSequences: true,
        kernelInitializer: "glorotNormal",
        recurrentInitializer: "glorotNormal",
      }),
    );
  }
  model.add(tf.layers.dense({ units: V, activation: "softmax" }));
  model.compile({ optimizer: tf.train.adam(1e-3), loss: "sparseCategoricalCrossentropy" });
  const x = tf.tensor2d(tokens(N * T, V), [N, T], "int32");
  if (row.kind === "forward") {
    return async () => {
      const y = model.predict(x) as import("@tensorflow/tfjs").Tensor;
      await y.data();
      y.dispose();
    };
  }
  const y = tf.tensor3d(Float32Array.from(tokens(N * T, V)), [N, T, 1]);
  return async () => {
    await model.trainOnBatch(x, y);
  };
});
