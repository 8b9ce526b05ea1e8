import { fileSystem } from "./file-system.ts";
import { fileError } from "./files.ts";

/** Adds to the end of a file; creates it, and its folder, if need be. */
export async function appendFile(path: string, bytes: Uint8Array): Promise<void> {
  const { fs, paths } = fileSystem(path);
  try {
    await fs.mkdir(paths.dirname(path), { recursive: true });
    await fs.appendFile(path, bytes);
  } catch (cause) {
    throw fileError(path, "written", cause);
  }
}

/** Cuts a file off after so many bytes. */
export async function truncateFile(path: string, length: number): Promise<void> {
  try {
    await fileSystem(path).fs.truncate(path, length);
  } catch (cause) {
    throw fileError(path, "written", cause);
  }
}
