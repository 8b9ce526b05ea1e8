/** brain.js: one character sequence of T at a time, as its recurrent nets train; a batch of N is N of them. */
import { rival, serve, tokens } from "./serve.ts";

const { default: brain } = await rival(() => import("brain.js"), "brain.js");

await serve("brain.js 2.0.0-beta.24", (row) => {
  if (row.kind !== "training") throw new Error("training only");
  const { cell, hiddenSize: H, numLayers, batch: N, time: T, vocabulary: V } = row;
  const Net = { rnn: brain.recurrent.RNN, lstm: brain.recurrent.LSTM, gru: brain.recurrent.GRU }[cell];
  const net = new Net({
    hiddenLayers: new Array(numLayers).fill(H),
    inputSize: V,
    outputSize: V,
    inputRange: V,
  });
  net.initialize();
  const sequence = [...tokens(T, V - 1)];
  return () => {
    for (let n = 0; n < N; n++) net.trainPattern(sequence, 0.001);
  };
});
