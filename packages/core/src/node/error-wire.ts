import {
  BpcError,
  CheckpointError,
  ChecksumError,
  ConfigError,
  InterruptedError,
  MissingGradientError,
  MissingKernelError,
  NonFiniteError,
  ShapeError,
  StorageError,
} from '../index.js';

/** An error as plain data: structured cloning keeps neither class nor fields. */
export interface ErrorWire {
  readonly code?: string;
  readonly message: string;
  readonly remedy?: string;
  readonly step?: number;
  readonly kernel?: string;
  readonly target?: string;
  readonly stack?: string;
}

/** A `BpcError`'s text without the remedy that its constructor appends. */
export function plainMessage(error: BpcError): string {
  const suffix = ` (${error.remedy})`;
  return error.message.endsWith(suffix) ? error.message.slice(0, -suffix.length) : error.message;
}

/** Describes an error for another thread. */
export function errorToWire(error: unknown): ErrorWire {
  if (!(error instanceof Error)) return { message: String(error) };
  const stack = error.stack === undefined ? {} : { stack: error.stack };
  if (!(error instanceof BpcError)) return { message: error.message, ...stack };
  return {
    code: error.code,
    message: plainMessage(error),
    remedy: error.remedy,
    ...(error instanceof NonFiniteError || error instanceof InterruptedError ? { step: error.step } : {}),
    ...(error instanceof MissingKernelError ? { kernel: error.kernel, target: error.target } : {}),
    ...stack,
  };
}

/** The same error again, of its own class. */
export function errorFromWire(wire: ErrorWire): Error {
  const { code, message, remedy = '', step = 0 } = wire;
  const classes: Readonly<Record<string, () => Error>> = {
    CONFIG: () => new ConfigError(message, remedy),
    SHAPE: () => new ShapeError(message, remedy),
    MISSING_KERNEL: () => new MissingKernelError(wire.kernel ?? '', wire.target ?? '', remedy),
    MISSING_GRADIENT: () => new MissingGradientError(message, remedy),
    NON_FINITE: () => new NonFiniteError(message, step, remedy),
    CHECKSUM: () => new ChecksumError(message, remedy),
    CHECKPOINT: () => new CheckpointError(message, remedy),
    STORAGE: () => new StorageError(message, remedy),
    INTERRUPTED: () => new InterruptedError(message, step, remedy),
  };
  const known = code === undefined ? undefined : classes[code];
  const error = known?.() ?? (code === undefined ? new Error(message) : new BpcError(code, message, remedy));
  if (wire.stack !== undefined) error.stack = wire.stack;
  return error;
}
