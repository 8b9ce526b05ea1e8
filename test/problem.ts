import { tmpdir } from "node:os";
import { join } from "node:path";

/** What a promise is rejected with, a test's temporary folder written as …; "none" if it is not. */
export async function problem(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return String(error).replace(temporary, "…");
  }
  return "none";
}

/** As `mkdtempSync(join(tmpdir(), "unrolled-"))` makes them. */
const temporary = new RegExp(
  `${join(tmpdir(), "unrolled-").replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}\\w{6}`,
  "g",
);
