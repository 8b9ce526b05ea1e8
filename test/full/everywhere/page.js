// What a page does: the same steps in a worker, while its own thread is watched for tasks of 50 ms and more.
import { LanguageModelWorker } from "unrolled/worker";
import { steps } from "./steps.js";

const long = [];
new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) long.push(duration);
}).observe({ type: "longtask" });

async function run() {
  // The page itself has been read by then.
  await new Promise((resolve) => requestIdleCallback(resolve));
  long.length = 0;
  const { model, ...there } = await steps(LanguageModelWorker);
  let text = "";
  for await (const piece of model.generateStream("the ", { temperature: 0, maxTokens: 40 })) text += piece;
  const again = await LanguageModelWorker.load(await model.files());
  const same =
    text === there.text && (await again.generate("the ", { temperature: 0, maxTokens: 40 })) === text;
  const failure = await LanguageModelWorker.load("nothing").then(String, String);
  const served = await LanguageModelWorker.load("model").then(
    (lm) => lm.score("the sea").then(({ tokens }) => tokens),
    String,
  );
  return { ...there, same, failure, served, isolated: crossOriginIsolated, long };
}

globalThis.result = run().catch((error) => ({ failed: String(error?.stack ?? error) }));
