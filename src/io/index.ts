export type { ModelFiles, ModelSource } from "./model-folder.ts";
export { readSafetensors, type Safetensors, writeSafetensors } from "./safetensors.ts";
