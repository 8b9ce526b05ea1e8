export { tanh } from "./pointwise.ts";
