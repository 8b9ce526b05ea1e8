import { OptionError } from "../errors.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { joinPath, type Location, readFile, writeFile } from "./files.ts";
import { formatJson, plainJson } from "./json-file.ts";
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

export const MAX_CONFIG = 2 ** 20;
export const MAX_TOKENIZER = 2 ** 26;
/** What the engine can address. */
const MAX_WEIGHTS = 2 ** 32;

export const modelFiles = {
  config: "config.json",
  weights: "model.safetensors",
  tokenizer: "tokenizer.json",
} as const;

/** A model's files as bytes. */
export type ModelFiles = { [K in keyof ModelFolder]: Uint8Array<ArrayBuffer> };

/** Where a model is: a folder's path or URL, or its files in memory. */
export type ModelSource = Location | ModelFiles;

const isFiles = (source: ModelSource): source is ModelFiles =>
  typeof source === "object" && !(source instanceof URL);

/** What an error calls one of a model's files. */
export function modelFile(source: ModelSource, file: keyof ModelFolder): string {
  return isFiles(source) ? modelFiles[file] : String(joinPath(source, modelFiles[file]));
}

export function formatModel({ config, tokenizer, weights }: ModelFolder): ModelFiles {
  const encoder = new TextEncoder();
  return {
    config: encoder.encode(formatJson(config)),
    tokenizer: encoder.encode(formatJson(tokenizer)),
    weights: writeSafetensors(weights),
  };
}

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
export async function readModel(source: ModelSource): Promise<ModelFolder> {
  const read = (file: keyof ModelFolder, maxBytes: number) => {
    if (!isFiles(source)) return readFile(joinPath(source, modelFiles[file]), maxBytes);
    if (source[file] instanceof Uint8Array) return source[file];
    throw new OptionError(`load: ${file} must be the bytes of ${modelFiles[file]}, a Uint8Array`);
  };
  const json = async (file: keyof ModelFolder, maxBytes: number) =>
    plainJson(await read(file, maxBytes), modelFile(source, file));
  return {
    config: await json("config", MAX_CONFIG),
    tokenizer: await json("tokenizer", MAX_TOKENIZER),
    weights: readSafetensors(await read("weights", MAX_WEIGHTS), modelFile(source, "weights")).tensors,
  };
}

/** Reads the folder of a model that has no text, and so no tokenizer. */
export async function readModelWithoutText(folder: Location): Promise<Omit<ModelFolder, "tokenizer">> {
  const file = (name: keyof ModelFolder) => joinPath(folder, modelFiles[name]);
  const config = plainJson(await readFile(file("config"), MAX_CONFIG), String(file("config")));
  const weights = await readFile(file("weights"), MAX_WEIGHTS);
  return { config, weights: readSafetensors(weights, String(file("weights"))).tensors };
}
