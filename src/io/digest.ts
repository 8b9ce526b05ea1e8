import { nodeModule } from "../engine/features.ts";
import { UsageError } from "../errors.ts";

/** SHA-256 of parts put end to end, in hexadecimal. */
export function sha256(parts: Iterable<Uint8Array | string>): string {
  const crypto = nodeModule<typeof import("node:crypto")>("node:crypto");
  if (!crypto) throw new UsageError("sha256: checkpoints are written in Node alone, not in a page");
  const hash = crypto.createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}
