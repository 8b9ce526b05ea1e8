import { type Command, Option } from "commander";
import { checkParallel, collectLines, readLines } from "../../data/text/lines.ts";
import { BLEU, type BleuOptions, type BleuScore, bleuSmoothings } from "../../metrics/bleu.ts";
import { bleuTokenizers } from "../../metrics/bleu-tokenizers.ts";
import { bootstrap, pairedBootstrap } from "../../metrics/bootstrap.ts";
import { CHRF } from "../../metrics/chrf.ts";
import type { Metric, MetricScore } from "../../metrics/metric.ts";
import { TER } from "../../metrics/ter.ts";
import { jsonFlag, numberFlag, repeatedFlag } from "../flags.ts";
import { examples } from "../ui/examples.ts";

interface Flags extends Pick<BleuOptions, "tokenize" | "lowercase" | "smooth" | "smoothValue"> {
  reference: string[];
  chrf?: true;
  chrfWordOrder?: number;
  ter?: true;
  baseline?: string;
  bootstrap?: number;
  seed?: number;
  json?: true;
}

export function define(command: Command): void {
  command
    .description(
      "Scores translations by BLEU, as sacreBLEU does: raw sentences, one a line, are cut into words here, so do " +
        "not tokenize them before. A reference line may be empty where another reference has one.",
    )
    .argument("[file]", "the translations, perhaps packed (default: standard input)")
    .addOption(
      repeatedFlag(
        "--reference <file>",
        "what they should be, line by line; several for several references",
      ).makeOptionMandatory(),
    )
    .addOption(new Option("--tokenize <how>", "how sentences are cut").choices(bleuTokenizers).default("13a"))
    .option("--lowercase", "do not tell capitals from small letters")
    .addOption(
      new Option("--smooth <how>", "what stands for n-grams that never match")
        .choices(bleuSmoothings)
        .default("exp"),
    )
    .addOption(numberFlag("--smooth-value <x>", "of floor and add-k (default: 0.1 and 1)"))
    .option("--chrf", "also chrF2, which compares characters")
    .addOption(numberFlag("--chrf-word-order <n>", "of chrF, which also compares words then: 2 is chrF2++"))
    .option("--ter", "also the translation edit rate")
    .addOption(
      numberFlag("--bootstrap <n>", "draw n corpora of these sentences for a 95 % range of each score"),
    )
    .option(
      "--baseline <file>",
      "another system's translations; tells whether the difference is more than chance",
    )
    .addOption(numberFlag("--seed <n>", "of --bootstrap and --baseline").default(12345))
    .addOption(
      jsonFlag(
        'one JSON object: {"scores":[{"name","score","signature",…}]}; mean and halfWidth with --bootstrap',
      ),
    )
    .action(score);
  examples(command, [
    ["score a system's output", "unrolled bleu --reference test.en output.en"],
    [
      "as papers on Multi30k do, with all three scores",
      "unrolled bleu --lowercase --chrf --ter --reference test.en output.en",
    ],
    ["the number alone", "cat output.en | unrolled bleu --reference test.en --json | jq '.scores[0].score'"],
    ["is it better than the last one?", "unrolled bleu --reference test.en --baseline last.en output.en"],
  ]);
}

async function score(file: string | undefined, flags: Flags): Promise<void> {
  const { tokenize, lowercase, smooth, smoothValue, chrf, chrfWordOrder, ter, seed } = flags;
  const metrics: Metric[] = [
    new BLEU({
      ...(tokenize && { tokenize }),
      ...(lowercase && { lowercase }),
      ...(smooth && { smooth }),
      ...given({ smoothValue }),
    }),
    ...(chrf || chrfWordOrder !== undefined
      ? [new CHRF({ ...(lowercase && { lowercase }), ...given({ wordOrder: chrfWordOrder }) })]
      : []),
    ...(ter ? [new TER()] : []),
  ];
  const references = await Promise.all(flags.reference.map(readLines));
  const baseline = flags.baseline === undefined ? undefined : await readLines(flags.baseline);
  if (file === undefined && process.stdin.isTTY)
    process.stderr.write("type translations, one a line; Ctrl-D ends\n");
  const system = await (file === undefined ? collectLines(process.stdin, "standard input") : readLines(file));
  checkParallel(references[0]!, ...references.slice(1), system, ...(baseline ? [baseline] : []));
  const sentences = references.map(({ lines }) => lines);
  const samples = flags.bootstrap;
  const scores = metrics.map((metric) => {
    const result = metric.corpusScore(system.lines, sentences);
    const drawing = { ...given({ samples }), ...given({ seed }) };
    const drawn = samples !== undefined || baseline !== undefined;
    const signature = metric.signature(sentences, drawn ? [`bs:${samples ?? 1000}`, `seed:${seed}`] : []);
    if (baseline) {
      const compared = pairedBootstrap(metric, baseline.lines, system.lines, sentences, drawing);
      const { mean, halfWidth } = compared.system;
      return { ...result, signature, mean, halfWidth, baseline: compared.baseline, pValue: compared.pValue };
    }
    return { ...result, signature, ...(drawn && bootstrap(metric, system.lines, sentences, drawing)) };
  });
  process.stdout.write(flags.json ? `${JSON.stringify({ scores })}\n` : scores.map(line).join(""));
}

/** Without what is undefined. */
function given<T extends Record<string, number | undefined>>(options: T): { [K in keyof T]?: number } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: number;
  };
}

interface Result extends MetricScore, Partial<BleuScore> {
  name: string;
  score: number;
  signature: string;
  mean?: number;
  halfWidth?: number;
  baseline?: { score: number; mean: number; halfWidth: number };
  pValue?: number;
}

/** `BLEU|nrefs:1|… = 37.02 70.1/44.9/30.2/20.4 (BP = 1.000 ratio = 1.003 hyp_len = 12045 ref_len = 12010)` */
function line(result: Result): string {
  const { name, score, signature, mean, halfWidth, baseline, pValue } = result;
  const range = mean === undefined ? "" : ` (μ = ${mean.toFixed(2)} ± ${halfWidth!.toFixed(2)})`;
  const parts = result.precisions ? ` ${partsOf(result as BleuScore)}` : "";
  const other = baseline
    ? `${name} of the baseline = ${baseline.score.toFixed(2)} ` +
      `(μ = ${baseline.mean.toFixed(2)} ± ${baseline.halfWidth.toFixed(2)}), p = ${pValue!.toFixed(4)}\n`
    : "";
  return `${name}|${signature} = ${score.toFixed(2)}${range}${parts}\n${other}`;
}

function partsOf({ precisions, brevityPenalty, hypothesisLength, referenceLength }: BleuScore): string {
  const ratio = referenceLength > 0 ? hypothesisLength / referenceLength : 0;
  return (
    `${precisions.map((precision) => precision.toFixed(1)).join("/")} ` +
    `(BP = ${brevityPenalty.toFixed(3)} ratio = ${ratio.toFixed(3)} ` +
    `hyp_len = ${hypothesisLength} ref_len = ${referenceLength})`
  );
}
