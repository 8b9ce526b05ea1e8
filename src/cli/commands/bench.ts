import { cpus } from "node:os";
import { type Command, Option } from "commander";
import * as v from "valibot";
import { checkOptions, numberIn, oneOf, recordOf, trueOrFalse, wholeNumber } from "../../options.ts";
import { cells } from "../../tasks/language-model/choices.ts";
import type { NetworkConfig } from "../../tasks/language-model/config.ts";
import { jsonFlag, numberFlag, threadsFlag, useThreads } from "../flags.ts";
import { examples } from "../ui/examples.ts";
import { compactNumber } from "../ui/format.ts";
import { profileTable } from "../ui/profile.ts";

/** What is timed if nothing else is said: a character model of the usual size. */
const schema = recordOf({
  cell: v.optional(oneOf(cells), "lstm"),
  hiddenSize: v.optional(wholeNumber(1, 65_536), 128),
  numLayers: v.optional(wholeNumber(1, 64), 2),
  vocabulary: v.optional(wholeNumber(1, 1_000_000), 65),
  batchSize: v.optional(wholeNumber(1, 65_536), 50),
  seqLength: v.optional(wholeNumber(1, 65_536), 50),
  seconds: v.optional(numberIn({ above: 0, to: 600 }), 2),
  threads: v.optional(wholeNumber(1, 256)),
  profile: v.optional(trueOrFalse(), false),
  json: v.optional(trueOrFalse(), false),
});

export function define(command: Command): void {
  command
    .description(
      "Times a language model of a given size on this machine: an update of the weights (forward, loss, backward, " +
        "clipping, Adam) and, one token after the other, running it.",
    )
    .addOption(
      new Option("--cell <cell>", `${cells.slice(0, -1).join(", ")} or ${cells.at(-1)} (default: lstm)`),
    )
    .addOption(numberFlag("--hidden-size <n>", "units of a layer, and of the embedding (default: 128)"))
    .addOption(numberFlag("--num-layers <n>", "layers on top of each other (default: 2)"))
    .addOption(numberFlag("--vocabulary <n>", "tokens to tell apart (default: 65)"))
    .addOption(numberFlag("--batch-size <n>", "sequences side by side (default: 50)"))
    .addOption(numberFlag("--seq-length <n>", "tokens of a sequence (default: 50)"))
    .addOption(numberFlag("--seconds <x>", "how long to measure each of the two (default: 2)"))
    .addOption(threadsFlag())
    .option("--profile", "show what each op of an update costs")
    .addOption(jsonFlag("one JSON object"))
    .action(bench);
  examples(command, [
    ["how fast would it train?", "unrolled bench --cell gru --hidden-size 512"],
    ["where does the time go?", "unrolled bench --vocabulary 10000 --profile"],
    ["what does a second thread bring?", "unrolled bench --threads 1 && unrolled bench --threads 2"],
  ]);
}

async function bench(flags: object): Promise<void> {
  const options = checkOptions("bench", schema, flags);
  const { cell, hiddenSize, numLayers, vocabulary, batchSize, seqLength, json } = options;
  await useThreads(options.threads);
  const { threads } = await import("../../engine/engine.ts");
  const { measureLanguageModel } = await import("../../tasks/language-model/measure.ts");
  const { prepareNetwork } = await import("../../tasks/language-model/network.ts");
  const config: NetworkConfig = {
    vocabularySize: vocabulary,
    embeddingSize: hiddenSize,
    cell,
    hiddenSize,
    numLayers,
    dropout: 0,
    tieWeights: false,
  };
  await prepareNetwork(config);
  const measured = measureLanguageModel(config, options);
  const machine = {
    processor: cpus()[0]?.model.trim() ?? "unknown",
    node: process.versions.node,
    threads: threads(),
  };
  if (json) {
    const network = { cell, hiddenSize, numLayers, vocabulary, batchSize, seqLength };
    process.stdout.write(`${JSON.stringify({ ...machine, ...network, ...measured })}\n`);
    return;
  }
  const { training, streaming, profile } = measured;
  process.stdout.write(
    `${cell} ${numLayers}×${hiddenSize}, vocabulary ${vocabulary}, ${batchSize} sequences of ${seqLength}; ` +
      `${machine.processor}, Node ${machine.node}, ${machine.threads} thread${machine.threads > 1 ? "s" : ""}\n` +
      `update  ${training.milliseconds.toFixed(2)} ms, ${compactNumber(training.tokensPerSecond)} tokens/s\n` +
      `step    ${(1000 * streaming.milliseconds).toFixed(1)} µs, ${compactNumber(streaming.tokensPerSecond)} tokens/s, one after the other\n` +
      (profile ? `\n${profileTable(profile)}\n` : ""),
  );
}
