export * as init from "./init.ts";
export { Module } from "./module.ts";
