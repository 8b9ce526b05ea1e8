import type { Family } from "./generated/abi.ts";

/** Where a family's two builds are: deflated and in base64, at hand in Node, in a module of their own in a page. */
export interface KernelSource<F extends Family = Family> {
  readonly family: F;
  relaxed(): string | Promise<{ default: string }>;
  plain(): string | Promise<{ default: string }>;
}
