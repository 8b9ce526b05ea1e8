/**
 * The first 64 KiB of the shared memory: words the threads talk through, then the running kernel's arguments.
 * Byte addresses; assembly/core.ts has the same list.
 */
export const control = {
  trapped: 196,
  modules: 320,
  /** 1 where 256-bit vectors are to be had, so that the wide GEMM tile is the fast one. */
  wideTiles: 324,
  /** 1 where this thread may sleep while others work: a page's own must not. */
  maySleep: 328,
  /** Entries of four words: a family's first place in the table (−1: core), its WebAssembly's address and length, and that
   * of the names behind it. */
  moduleList: 1024,
  args: 2048,
  /** The numbers that kernels name as `constant(…)`. */
  constants: 4096,
  end: 65536,
} as const;

/** Bytes of working memory that a thread needs for a matrix product; assembly/gemm.ts has the same. */
export const PRODUCT_SCRATCH = (192 * 256 + 6 * 16) * 4;
