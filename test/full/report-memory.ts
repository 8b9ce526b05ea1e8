/** Loaded before a program: tells, when it ends, how large its resident set was at most. */
process.on("exit", () => {
  process.stderr.write(`resident set: ${process.resourceUsage().maxRSS >> 10} MiB\n`);
});
