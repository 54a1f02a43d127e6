import { BpcError, InterruptedError } from '@bpc/core';
import { plainMessage } from '@bpc/core/node';

interface PrintOptions {
  readonly write: (line: string) => void;
  readonly colour: boolean;
  /** Print stacks too. */
  readonly debug: boolean;
}

/** An error as a person reads it: what is wrong, then what to do; the stack only when debugging. */
export function printError(error: unknown, { write, colour, debug }: PrintOptions): void {
  const paint = (code: string, label: string) => (colour ? `\u001b[${code}m${label}\u001b[0m` : label);
  if (error instanceof BpcError) {
    const label = error instanceof InterruptedError ? paint('33', 'interrupted:') : paint('31', 'error:');
    write(`${label} ${plainMessage(error)}`);
    write(`${paint('36', 'remedy:')} ${error.remedy}`);
  } else {
    write(`${paint('31', 'error:')} ${error instanceof Error ? error.message : String(error)}`);
    if (!debug) write(`${paint('36', 'remedy:')} this is not one of the failures we foresaw; run again with DEBUG=1 and report the stack`);
  }
  if (debug && error instanceof Error) {
    write(error.stack ?? 'no stack');
    if (error.cause instanceof Error) write(`caused by ${error.cause.stack ?? error.cause.message}`);
  }
}
