// Runs in every runtime and in pages as it stands.

const words = "the ship a whale sea white old man boat and of water hand deep night".split(" ");

/** The same words everywhere. */
function write(length, seed) {
  let state = seed;
  let text = "";
  while (text.length < length) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    text += words[(state >>> 16) % words.length] + ((state >>> 8) % 9 ? " " : ".\n");
  }
  return text.slice(0, length);
}

/** 200 updates: 50 windows of 32 characters in 16 streams, four times over. Gives the losses, and what was learnt. */
export async function steps(LanguageModel) {
  const losses = [];
  const started = performance.now();
  const model = await LanguageModel.train(
    { text: write(16 * 32 * 50 + 1, 7) },
    {
      ...{ hiddenSize: 64, numLayers: 1, dropout: 0.1, batchSize: 16, seqLength: 32, epochs: 4, threads: 1 },
      valid: { text: write(3000, 8) },
      validateEvery: 50,
      onProgress: (event) => event.type === "validation" && losses.push([event.step, event.loss]),
    },
  );
  const seconds = (performance.now() - started) / 1000;
  return { losses, text: await model.generate("the ", { temperature: 0, maxTokens: 40 }), seconds, model };
}
