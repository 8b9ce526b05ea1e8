/**
 * Every error this library throws on purpose. House form of a message:
 * `lstm: input must be [time, batch, 64], got [32, 8, 65]`, then, where there is a way out, a hint on its own line.
 */
export class UnrolledError extends Error {
  /** Written out in each class: a bundler may give classes other names. */
  override readonly name: string = "UnrolledError";
  /** What to do about it, already part of `message` as its second line. */
  readonly hint: string | undefined;

  constructor(message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(options.hint ? `${message}\nhint: ${options.hint}` : message, { cause: options.cause });
    this.hint = options.hint;
  }
}

/** Shapes, ranks or dtypes that do not fit together. */
export class ShapeError extends UnrolledError {
  override readonly name = "ShapeError";
}

/** The API was used in a way it does not allow, e.g. a tensor after its step ended. */
export class UsageError extends UnrolledError {
  override readonly name = "UsageError";
}

/** An option is missing, unknown or out of range. */
export class OptionError extends UnrolledError {
  override readonly name = "OptionError";
}

/** The data to train on or to work on is not usable: empty, binary, too short, unknown characters. */
export class DataError extends UnrolledError {
  override readonly name = "DataError";
}

/** A file or folder cannot be read or written, or is not to be overwritten. */
export class FileError extends UnrolledError {
  override readonly name = "FileError";
}

/** A file is not what it claims to be: truncated, tampered with, too large, of another version. */
export class FormatError extends UnrolledError {
  override readonly name = "FormatError";
}

/** A value that must be finite is not; names the first bad tensor. */
export class NumericError extends UnrolledError {
  override readonly name = "NumericError";
}

/** The engine cannot do what was asked: memory, threads, a missing feature, a trapped kernel. */
export class EngineError extends UnrolledError {
  override readonly name = "EngineError";
}
