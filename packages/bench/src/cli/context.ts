import type { Reporter } from '../progress/index.js';

/** What a command is run with; tests pass their own. */
export interface CommandContext {
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
  /** Machine output, and results that people asked for. Goes to stdout. */
  readonly print: (text: string) => void;
  /** One JSON document instead of text on stdout. */
  readonly json: boolean;
  /** From here on a typed error is a failure, no longer bad input. */
  readonly beginWork: () => void;
}

/** Prints one JSON document with `--json`, else the lines of text. */
export function printResult(context: CommandContext, document: unknown, text: () => string): void {
  context.print(context.json ? `${JSON.stringify(document, null, 2)}\n` : `${text()}\n`);
}
