import { joinPath, writeFile } from "../io/files.ts";
import { modelFiles, writeModelFolder } from "../io/model-folder.ts";
import { writeSafetensors } from "../io/safetensors.ts";
import type { TrainingState } from "./state.ts";
import type { Checkpoints } from "./trainer.ts";

/**
 * Checkpoints in a model's folder: the best weights as model.safetensors, and in training/state.safetensors all it takes
 * to go on. That is one file, its numbers in the metadata, so that what it says was true at one moment.
 */
export function folderCheckpoints(folder: string): Checkpoints {
  return {
    async saveBest(weights) {
      await writeModelFolder(folder, { weights });
      return joinPath(folder, modelFiles.weights);
    },
    async saveLast({ tensors, ...rest }: TrainingState) {
      const path = joinPath(folder, "training", "state.safetensors");
      await writeFile(
        path,
        writeSafetensors(tensors, { training: JSON.stringify({ formatVersion: 1, ...rest }) }),
      );
      return path;
    },
  };
}
