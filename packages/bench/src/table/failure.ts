import { BpcError } from '@bpc/core';
import { plainMessage } from '@bpc/core/node';

/** Why a cell has no figures, as a person reads it. */
export interface Failure {
  readonly message: string;
  readonly remedy?: string;
}

/** An error as a table reports it. */
export function failureOf(error: unknown): Failure {
  if (error instanceof BpcError) return { message: plainMessage(error), remedy: error.remedy };
  return { message: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
}
