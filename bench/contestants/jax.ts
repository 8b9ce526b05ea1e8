/** jax-js on its WebAssembly backend: the matrix products alone, for it has no scan to run a recurrent net with. */
import { rival, serve, values } from "./serve.ts";

const jax = await rival(() => import("@jax-js/jax"), "@jax-js/jax");
await jax.init("wasm");
jax.defaultDevice("wasm");
const { numpy: np } = jax;

await serve("jax-js wasm", (row) => {
  if (row.kind !== "gemm") throw new Error("gemm only");
  const { m, n, k } = row;
  const a = np.array(values(m * k)).reshape([m, k]);
  const b = np.array(values(k * n)).reshape([k, n]);
  return async () => {
    await np.matmul(a.ref, b.ref).data();
  };
});
