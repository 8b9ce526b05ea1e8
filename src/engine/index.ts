export { ready, setThreads, threads } from "./engine.ts";
