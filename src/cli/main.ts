#!/usr/bin/env node
// Nothing is imported before the version is known to be new enough to understand it.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

if (major < 22 || (major === 22 && minor < 12)) {
  process.stderr.write(
    `error: unrolled needs Node 22.12 or newer, this is ${process.versions.node}\n` +
      "hint: install a newer Node; inside a clone of the repository, `npx unrolled` brings its own\n",
  );
  process.exitCode = 1;
} else {
  // A reader that has seen enough (`unrolled generate … | head`) is not a failure.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    process.exit(error.code === "EPIPE" ? 0 : 1);
  });
  // The second start finds the first one's compiled code.
  process.getBuiltinModule("node:module").enableCompileCache();
  import("./program.ts").then(({ main }) => main(process.argv.slice(2)));
}

export {};
