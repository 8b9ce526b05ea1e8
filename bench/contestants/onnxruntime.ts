/** onnxruntime-node, streaming: state in, state out, as its users run it. Threads from ORT_THREADS. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rival, serve, values } from "./serve.ts";

const ort = await rival(() => import("onnxruntime-node"), "onnxruntime-node");
const threads = Number(process.env.ORT_THREADS ?? 1);

function modelFile(cell: string, hidden: number, layers: number): string {
  const folder = join(tmpdir(), "unrolled-bench");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${cell}-${layers}x${hidden}.onnx`);
  if (!existsSync(file)) {
    const script = join(import.meta.dirname, "export_onnx.py");
    const { status, stderr } = spawnSync("/usr/bin/python3", [script, cell, `${hidden}`, `${layers}`, file]);
    if (status !== 0) throw new Error(`export_onnx.py: ${stderr}`);
  }
  return file;
}

await serve(`onnxruntime-node ${ort.env.versions.node ?? ort.env.versions.common}`, async (row) => {
  if (row.kind !== "streaming") throw new Error("streaming only");
  const { cell, hiddenSize: H, numLayers: L, time: T } = row;
  const session = await ort.InferenceSession.create(modelFile(cell, H, L), {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
  });
  const x = new ort.Tensor("float32", values(T * H), [T, 1, H]);
  let h = new ort.Tensor("float32", new Float32Array(L * H), [L, 1, H]);
  let c = h;
  return async () => {
    const out = await session.run(cell === "lstm" ? { x, h, c } : { x, h });
    h = out.hn as typeof h;
    if (cell === "lstm") c = out.cn as typeof c;
  };
});
