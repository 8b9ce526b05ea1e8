import { FormatError, UsageError } from "../errors.ts";
import { Tensor } from "../tensor/tensor.ts";
import { stateProblems } from "./state-dict.ts";

/**
 * The base of every layer and model. Its parts are found among its own properties: modules, parameters (tensors made by
 * `parameter()`), and arrays and plain records of them. A part's name is the path to it, `encoder.layers.0.weight`; what
 * can be reached by two paths (tied weights) has the first. Private `#fields` and other tensors are no parts.
 */
export abstract class Module {
  /** Whether dropout is on; set it with `train()` and `eval()`. */
  training = true;
  #path = `#${++created}`;
  #placed = false;

  /** This module, as "", and the modules within, by name. */
  namedModules(): Map<string, Module> {
    return new Map(this.#parts().filter((part): part is [string, Module] => part[1] instanceof Module));
  }

  namedParameters(): Map<string, Tensor> {
    const named = new Map<string, Tensor>();
    for (const [name, part] of this.#parts()) {
      if (part instanceof Module) continue;
      if (named.has(name)) throw new UsageError(`module: two parameters have the name ${name}`);
      named.set(name, part);
    }
    return named;
  }

  parameters(): Tensor[] {
    return [...this.namedParameters().values()];
  }

  /** A copy of every parameter, by name: what `writeSafetensors` writes and `loadStateDict` takes. */
  stateDict(): Map<string, Tensor> {
    return new Map([...this.namedParameters()].map(([name, p]) => [name, p.detach()]));
  }

  /** Overwrites the parameters. If anything is missing, left over or of another shape, nothing is changed. */
  loadStateDict(state: ReadonlyMap<string, Tensor>): void {
    const own = this.namedParameters();
    const problems = stateProblems(own, state);
    if (problems.length > 0) {
      throw new FormatError(
        `loadStateDict: the state does not fit ${this.constructor.name}:\n  ${problems.join("\n  ")}`,
      );
    }
    for (const [name, p] of own) p.set(state.get(name)!.toArray());
  }

  /** Turns dropout on (or off), here and in all modules within. */
  train(on = true): this {
    for (const module of this.namedModules().values()) module.training = on;
    return this;
  }

  /** Turns dropout off, for validation and use. */
  eval(): this {
    return this.train(false);
  }

  /**
   * The number of a random stream of this module's own: a hash of its path in the model, so that dropout is the same
   * whatever else was called before, built before or resumed from. The model is the outermost module of which
   * `parameters()`, `train()` or the like was asked; before that a module has a stream by order of construction. No two
   * paths of a model have the same hash, but for one chance in 2³².
   */
  protected randomStream(label = ""): number {
    let hash = 0x811c9dc5; // FNV-1a
    for (const character of `${this.#path}:${label}`) {
      hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193) >>> 0;
    }
    return hash;
  }

  /** @internal Names of its own weights that may be of int8: matrices whose rows are outputs. */
  int8Weights(): readonly string[] {
    return [];
  }

  /** All parts, this module first, with their paths; tells each module its place on the way. */
  #parts(path = "", seen = new Set<object>()): [string, Module | Tensor][] {
    seen.add(this);
    this.#place(path);
    const found: [string, Module | Tensor][] = [[path, this]];
    for (const [key, part] of directParts(this)) {
      const identity = part instanceof Module ? part : part.storage;
      if (seen.has(identity)) continue;
      seen.add(identity);
      const name = path ? `${path}.${key}` : key;
      if (part instanceof Module) found.push(...part.#parts(name, seen));
      else found.push([name, part]);
    }
    return found;
  }

  /** The path from further out is the longer one; asking an inner module for its parameters changes nothing. */
  #place(path: string): void {
    if (this.#placed && path.length <= this.#path.length) return;
    this.#path = path;
    this.#placed = true;
  }

  /** What `toString` puts between the parentheses: sizes and options. */
  protected describe(): string {
    return "";
  }

  #tree(seen = new Set<Module>()): string {
    seen.add(this);
    const lines: string[] = [];
    for (const [name, part] of directParts(this)) {
      if (part instanceof Module && !seen.has(part)) {
        lines.push(...`(${name}): ${part.#tree(seen)}`.split("\n"));
      }
    }
    const inside = lines.length > 0 ? `\n${lines.map((line) => `  ${line}\n`).join("")}` : this.describe();
    return `${this.constructor.name}(${inside})`;
  }

  /** The tree of modules with their sizes, and the number of parameters. */
  toString(): string {
    const count = this.parameters().reduce((sum, p) => sum + p.size, 0);
    return `${this.#tree()}, ${count.toLocaleString("en")} parameters`;
  }
}

let created = 0;

/** The modules and parameters among a container's properties, those in arrays and plain records included. */
function* directParts(
  container: object,
  prefix = "",
  seen = new Set<object>(),
): Generator<[string, Module | Tensor]> {
  seen.add(container);
  for (const [key, value] of Object.entries(container)) {
    if (typeof value !== "object" || value === null) continue;
    if (value instanceof Module || (value instanceof Tensor && value.storage.persistent)) {
      yield [prefix + key, value];
    } else if (
      (Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype) &&
      !seen.has(value)
    ) {
      yield* directParts(value, `${prefix}${key}.`, seen);
    }
  }
}
