import type { LanguageModel } from "../../../src/index.ts";

export function steps(
  task: typeof LanguageModel,
): Promise<{ losses: [step: number, loss: number][]; text: string; seconds: number; model: LanguageModel }>;
