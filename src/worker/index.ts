export { LanguageModelWorker, type WorkerTextStream, type WorkerTrainingOptions } from "./language-model.ts";
