import type { Family } from "./generated/abi.ts";

/**
 * A family of kernels: how they are called, and where its two builds are: deflated and in base64, at hand in Node, in a
 * module of their own in a page.
 */
export interface KernelSource<F extends Family = Family> {
  readonly family: F;
  /** The first kernel's place in the function table; the others follow. */
  readonly first: number;
  /** Each kernel's arguments in order, "x out alpha:f32": i32 where nothing else is said. */
  readonly kernels: Readonly<Record<string, string>>;
  relaxed(): string | Promise<{ default: string }>;
  plain(): string | Promise<{ default: string }>;
}
