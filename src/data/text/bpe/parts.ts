import * as v from "valibot";
import { FormatError } from "../../../errors.ts";
import { checkContent, recordOf, recordWith, text } from "../../../options.ts";

/** A kind of normalizer, pre-tokenizer or decoder: the options that a file gives it, and what it does. */
export interface Part<Run> {
  options: v.ObjectEntries;
  make(options: never, where: string): Run;
}

export function part<const E extends v.ObjectEntries, Run>(
  options: E,
  make: (options: v.InferOutput<v.StrictObjectSchema<E, undefined>>, where: string) => Run,
): Part<Run> {
  return { options, make };
}

const typed = recordWith({ type: text() });

/** What the description in a file does; a kind that is not among the known ones is refused by its name. */
export function makePart<Run>(known: Readonly<Record<string, Part<Run>>>, json: unknown, where: string): Run {
  const { type } = checkContent(where, typed, json);
  const kind = Object.hasOwn(known, type) ? known[type] : undefined;
  if (!kind) {
    throw new FormatError(
      `${where}: type ${JSON.stringify(type)} is not supported (known are ${Object.keys(known).join(", ")})`,
    );
  }
  const options = checkContent(where, recordOf({ type: text(), ...kind.options }), json);
  return kind.make(options as never, where);
}

const MOST_PARTS = 64;

/** The parts of a sequence. */
export const sequenceOf = () =>
  v.pipe(
    v.array(v.unknown(), "must be an array"),
    v.maxLength(MOST_PARTS, `must have at most ${MOST_PARTS} parts`),
  );
