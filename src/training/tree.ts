import { Tensor } from "../tensor/tensor.ts";

/** Leaves in arrays and plain records, however deep: what `step()` can return, e.g. `{ h, c }` of each layer. */
export type Tree<Leaf> = Leaf | undefined | readonly Tree<Leaf>[] | { readonly [key: string]: Tree<Leaf> };

export function mapTree<A, B>(tree: Tree<A>, isLeaf: (x: unknown) => x is A, f: (leaf: A) => B): Tree<B> {
  if (tree === undefined || tree === null) return undefined;
  if (isLeaf(tree)) return f(tree);
  if (Array.isArray(tree)) return tree.map((item: Tree<A>) => mapTree(item, isLeaf, f));
  const entries = Object.entries(tree as Record<string, Tree<A>>);
  return Object.fromEntries(entries.map(([key, item]) => [key, mapTree(item, isLeaf, f)]));
}

export const isTensor = (x: unknown): x is Tensor => x instanceof Tensor;
export const isName = (x: unknown): x is string => typeof x === "string";
