import { BpcError } from '@bpc/core';

/** The values of a tensor were asked for before the work that makes them was done. */
export class PendingTensorError extends BpcError {
  constructor(message: string, remedy: string) {
    super('PENDING_TENSOR', message, remedy);
  }
}

/** A kernel call failed after it had returned its tensors; reading any tensor that depends on it throws this. */
export class KernelError extends BpcError {
  readonly kernel: string;

  constructor(kernel: string, reason: string, remedy: string, options?: ErrorOptions) {
    super('KERNEL', `kernel '${kernel}' failed: ${reason}`, remedy, options);
    this.kernel = kernel;
  }
}

/** The text of whatever was thrown. */
export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
