/**
 * Base class of every error thrown on purpose by `@bpc` packages.
 *
 * `message` says what is wrong (argument, value found, value expected); `remedy` says what to do about it.
 * Branch on `code`, never on the text.
 *
 * @example
 * ```ts
 * import { BpcError } from '@bpc/core';
 * const error = new BpcError('EXAMPLE', 'stepSize is -1, expected a positive number', 'pass a positive stepSize');
 * console.log(error.code, error.remedy);
 * ```
 */
export class BpcError extends Error {
  readonly code: string;
  readonly remedy: string;

  constructor(code: string, message: string, remedy: string, options?: ErrorOptions) {
    super(`${message} (${remedy})`, options);
    this.code = code;
    this.remedy = remedy;
    this.name = new.target.name;
  }
}

/** An option, argument or configuration value is outside its domain. */
export class ConfigError extends BpcError {
  constructor(message: string, remedy: string, options?: ErrorOptions) {
    super('CONFIG', message, remedy, options);
  }
}

/** A tensor or array has the wrong shape, rank or dtype. */
export class ShapeError extends BpcError {
  constructor(message: string, remedy: string, options?: ErrorOptions) {
    super('SHAPE', message, remedy, options);
  }
}

/** A program needs a kernel that the chosen target does not have. */
export class MissingKernelError extends BpcError {
  readonly kernel: string;
  readonly target: string;

  constructor(kernel: string, target: string, remedy: string, options?: ErrorOptions) {
    super('MISSING_KERNEL', `the ${target} target has no kernel '${kernel}'`, remedy, options);
    this.kernel = kernel;
    this.target = target;
  }
}

/** A function was differentiated through an operation that has no (second-order safe) gradient rule. */
export class MissingGradientError extends BpcError {
  constructor(message: string, remedy: string, options?: ErrorOptions) {
    super('MISSING_GRADIENT', message, remedy, options);
  }
}

/** A watched scalar became NaN or infinite; the state of the last good step is kept. */
export class NonFiniteError extends BpcError {
  readonly step: number;

  constructor(message: string, step: number, remedy: string, options?: ErrorOptions) {
    super('NON_FINITE', message, remedy, options);
    this.step = step;
  }
}

/** Bytes do not have the hash they should have. */
export class ChecksumError extends BpcError {
  constructor(message: string, remedy: string, options?: ErrorOptions) {
    super('CHECKSUM', message, remedy, options);
  }
}

/** A checkpoint or coreset file cannot be read, or does not belong to this run. */
export class CheckpointError extends BpcError {
  constructor(message: string, remedy: string, options?: ErrorOptions) {
    super('CHECKPOINT', message, remedy, options);
  }
}

/** A file or folder cannot be read or written (missing, read-only, disk full). */
export class StorageError extends BpcError {
  constructor(message: string, remedy: string, options?: ErrorOptions) {
    super('STORAGE', message, remedy, options);
  }
}

/** Work was stopped by its `AbortSignal`; everything up to `step` is saved if a checkpoint store was given. */
export class InterruptedError extends BpcError {
  readonly step: number;

  constructor(message: string, step: number, remedy: string, options?: ErrorOptions) {
    super('INTERRUPTED', message, remedy, options);
    this.step = step;
  }
}
