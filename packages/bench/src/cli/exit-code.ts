import { BpcError, InterruptedError, NonFiniteError } from '@bpc/core';
import { CommanderError } from 'commander';
import { interruptedExitCode } from './interrupt.js';

/** Usage or bad input: nothing was done. */
export const usageExitCode = 2;
/** Work was begun and failed. */
export const failureExitCode = 1;

/**
 * What the process returns for an error.
 *
 * A typed error before work began is bad input; the same error later (a disk that fills up) is a failure.
 */
export function exitCodeOf(error: unknown, workBegan: boolean): number {
  if (error instanceof InterruptedError) return interruptedExitCode;
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : usageExitCode;
  if (error instanceof BpcError && !(error instanceof NonFiniteError) && !workBegan) return usageExitCode;
  return failureExitCode;
}
