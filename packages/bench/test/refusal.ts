import { ConfigError } from '@bpc/core';

/** The refusal that a piece of work ends with. */
export function refusal(work: () => unknown): ConfigError {
  try {
    work();
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}
