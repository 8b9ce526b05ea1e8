import { FormatError } from "../errors.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { joinPath, readFile, writeFile } from "./files.ts";
import { type Json, parseJson } from "./json.ts";
import { readSafetensors, writeSafetensors } from "./safetensors.ts";

/** A model is a folder: what it is, what it knows, and how its text becomes tokens. */
export interface ModelFolder {
  /** config.json */
  config: unknown;
  /** model.safetensors */
  weights: ReadonlyMap<string, Tensor>;
  /** tokenizer.json */
  tokenizer: unknown;
}

const MAX_CONFIG = 2 ** 20;
const MAX_TOKENIZER = 2 ** 26;
/** What the engine can address. */
const MAX_WEIGHTS = 2 ** 32;

export const modelFiles = {
  config: "config.json",
  weights: "model.safetensors",
  tokenizer: "tokenizer.json",
} as const;

/** Writes what is given, each file as a whole. */
export async function writeModelFolder(
  folder: string,
  { config, tokenizer, weights }: Partial<ModelFolder>,
): Promise<void> {
  if (config) await writeFile(joinPath(folder, modelFiles.config), formatJson(config));
  if (tokenizer) await writeFile(joinPath(folder, modelFiles.tokenizer), formatJson(tokenizer));
  if (weights) await writeFile(joinPath(folder, modelFiles.weights), writeSafetensors(weights));
}

/** Reads a model's files, trusting nothing in them. */
export async function readModelFolder(folder: string): Promise<ModelFolder> {
  const weights = joinPath(folder, modelFiles.weights);
  return {
    config: await readJson(joinPath(folder, modelFiles.config), MAX_CONFIG),
    tokenizer: await readJson(joinPath(folder, modelFiles.tokenizer), MAX_TOKENIZER),
    weights: readSafetensors(await readFile(weights, MAX_WEIGHTS), weights).tensors,
  };
}

function formatJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

async function readJson(path: string, maxBytes: number): Promise<unknown> {
  const bytes = await readFile(path, maxBytes);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new FormatError(`${path}: is not UTF-8`, { cause });
  }
  return toPlain(parseJson(text, path));
}

/** Maps as the plain objects that schemas check. Every key becomes the object's own, `__proto__` too. */
function toPlain(json: Json): unknown {
  if (Array.isArray(json)) return json.map(toPlain);
  if (!(json instanceof Map)) return json;
  return Object.fromEntries([...json].map(([key, value]) => [key, toPlain(value)]));
}
