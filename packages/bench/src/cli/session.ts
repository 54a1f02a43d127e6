import { chooseReporter } from '../progress/index.js';
import type { CommandContext } from './context.js';
import { type Interrupt, listenForInterrupt } from './interrupt.js';

/** What the outside world is to a command line; tests pass their own. */
export interface CliIo {
  readonly stdout: (text: string) => void;
  readonly stderr: (line: string) => void;
}

/** A command being run, with what the process needs to know about it afterwards. */
export interface Session {
  readonly context: CommandContext;
  readonly workBegan: () => boolean;
  readonly close: () => void;
}

/** Makes the context of one command; signals are listened to until it is closed. */
export function openSession(io: CliIo, options: { readonly json?: boolean; readonly quiet?: boolean }): Session {
  const { json = false, quiet = false } = options;
  const reporter = chooseReporter({ quiet });
  const interrupt: Interrupt = listenForInterrupt({ announce: reporter.warn });
  let began = false;
  return {
    context: {
      reporter,
      signal: interrupt.signal,
      print: io.stdout,
      json,
      beginWork: () => {
        began = true;
      },
    },
    workBegan: () => began,
    close: interrupt.release,
  };
}
