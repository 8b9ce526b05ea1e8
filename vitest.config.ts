import { defineConfig } from "vitest/config";

const resolve = { conditions: ["source", "node", "module", "default"] };

export default defineConfig({
  resolve,
  ssr: { resolve },
  test: {
    pool: "forks",
    maxWorkers: 2,
    execArgv: ["--conditions=source"],
    projects: [
      {
        extends: true,
        test: {
          name: "quick",
          include: ["src/**/*.test.ts", "test/quick/**/*.test.ts"],
          // A loaded machine is no failure; a test that hangs still is.
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: "full",
          include: ["test/full/**/*.test.ts"],
          testTimeout: 600_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
