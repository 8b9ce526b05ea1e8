import type { CtcLanguageModel } from "../../decoding/ctc/language-model.ts";
import { DataError, OptionError } from "../../errors.ts";
import type { LanguageModel } from "../language-model/model.ts";
import type { NgramModel } from "../ngram-model/model.ts";
import { isArpa, taskOf } from "../task-of.ts";
import type { Alphabet } from "./alphabet.ts";

/** What a decoder can ask for what comes next. */
export type SpokenLanguageModel = NgramModel | LanguageModel;

/** The model in a file `*.arpa` or a folder, whichever it is. */
export async function readLanguageModel(
  path: string,
  unit: "word" | "char" | undefined,
): Promise<SpokenLanguageModel> {
  if (unit !== undefined && !isArpa(path)) {
    throw new OptionError(`lmUnit is for files *.arpa, and ${path} is none: a model's folder says it itself`);
  }
  if ((await taskOf(path)) === "ngram") {
    const { NgramModel } = await import("../ngram-model/model.ts");
    return NgramModel.load(path, unit ? { unit } : {});
  }
  const { LanguageModel } = await import("../language-model/model.ts");
  return LanguageModel.load(path);
}

/** A model as a decoder asks it: label by label if its tokens are what the labels are, else word by word. */
export async function ctcLanguageModel(
  where: string,
  { unit, labels }: Alphabet,
  lm: string | SpokenLanguageModel,
  lmUnit: "word" | "char" | undefined,
): Promise<CtcLanguageModel> {
  if (typeof lm !== "string" && lmUnit !== undefined) {
    throw new OptionError(`${where}: lmUnit is for files *.arpa, and lm is a model, which says it itself`);
  }
  const spoken = typeof lm === "string" ? await readLanguageModel(lm, lmUnit) : lm;
  const { tokenizer } = spoken;
  const byLabel = tokenizer.unit === unit;
  if (!byLabel && tokenizer.unit !== "word") {
    const what = unit === "word" ? "words, as the labels are" : "characters or words";
    throw new OptionError(`${where}: lm must be a model of ${what}, got one of ${tokenizer.unit}`);
  }
  const name = typeof lm === "string" ? lm : "lm";
  const tokens = new Map<string, number>();
  const tokenOf = (part: string) => {
    let token = tokens.get(part);
    if (token === undefined) {
      token = tokenizer.encode(part, name)[0] ?? tokenizer.unknown ?? 0;
      tokens.set(part, token);
    }
    return token;
  };
  if (byLabel) {
    try {
      for (const label of labels.slice(1)) tokenOf(label);
    } catch (cause) {
      const [problem] = (cause as Error).message.split("\n");
      throw new DataError(problem!, { hint: "it must know every character that the recogniser does", cause });
    }
  }
  const model = "table" in spoken ? spoken : await recurrent(spoken);
  return { model, unit: byLabel ? "label" : "word", tokenOf, end: tokenizer.lineBreak };
}

async function recurrent(model: LanguageModel) {
  const { NetworkTransitions } = await import("./network-transitions.ts");
  return new NetworkTransitions(model);
}
