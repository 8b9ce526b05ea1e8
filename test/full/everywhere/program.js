// What a program in any runtime does: the steps, here and behind a worker.
import { LanguageModel, setThreads } from "unrolled";
import { LanguageModelWorker } from "unrolled/worker";
import { steps } from "./steps.js";

const { model, ...here } = await steps(LanguageModel);
const worker = await LanguageModelWorker.load(model.files());
let text = "";
for await (const piece of worker.generateStream("the ", { temperature: 0, maxTokens: 40 })) text += piece;
const same = text === here.text && (await worker.score("the sea")).logProb === model.score("the sea").logProb;
setThreads(2);
const large = await LanguageModel.train(
  { text: "the sea and the ship\n".repeat(300) },
  { hiddenSize: 160, epochs: 1 },
);
console.log(JSON.stringify({ ...here, same, threads: large.score("the sea").tokens === 7 }));
