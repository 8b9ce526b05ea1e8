import type { Command } from "commander";
import { jsonFlag, repeatedFlag, threadsFlag, useThreads } from "../flags.ts";
import { examples } from "../ui/examples.ts";

interface Flags {
  text: string[];
  threads?: number;
  json?: true;
}

export function define(command: Command): void {
  command
    .description(
      "Measures a language model on a text: the mean of −ln P of each token given all before it, " +
        "the state carried through the whole text.",
    )
    .argument("<dir>", "the model's folder")
    .addOption(
      repeatedFlag(
        "--text <file>",
        "UTF-8 text that the model was not trained on, perhaps packed; a glob or several --text are one text",
      ).makeOptionMandatory(),
    )
    .addOption(threadsFlag())
    .addOption(jsonFlag('one JSON object: {"task","tokens","loss","perplexity","bitsPerToken"}'))
    .action(evaluate);
  examples(command, [
    ["how well does it know another book?", "unrolled evaluate models/book --text other.txt"],
    ["the perplexity alone", "unrolled evaluate models/book --text other.txt --json | jq .perplexity"],
  ]);
}

async function evaluate(folder: string, { text, threads, json }: Flags): Promise<void> {
  await useThreads(threads);
  const { LanguageModel } = await import("../../tasks/language-model/task.ts");
  const model = await LanguageModel.load(folder);
  const { tokens, loss, perplexity, bitsPerToken } = await model.evaluate(text);
  process.stdout.write(
    json
      ? `${JSON.stringify({ task: "language-model", tokens, loss, perplexity, bitsPerToken })}\n`
      : `tokens          ${tokens.toLocaleString("en-US")}\n` +
          `loss            ${loss.toFixed(4)} nats a token\n` +
          `perplexity      ${perplexity.toFixed(3)}\n` +
          `bits per token  ${bitsPerToken.toFixed(4)}\n`,
  );
}
