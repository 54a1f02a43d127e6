import type { Command } from 'commander';
import type { CommandContext } from './context.js';
import type { CliIo, Session } from './session.js';
import { openSession } from './session.js';

/** What a command does, given its parsed options and arguments. */
export type Action<Options> = (context: CommandContext, options: Options, args: readonly string[]) => Promise<void>;

/** Gives a command its common flags and its action. */
export type Runner = <Options extends object>(
  command: Command,
  action: Action<Options & { readonly json?: boolean; readonly quiet?: boolean }>,
) => void;

/** The session of the command that ran, so that its failure can be judged. */
export interface RunnerState {
  session?: Session;
}

/** A runner that opens a session around each action. */
export function runner(io: CliIo, state: RunnerState): Runner {
  return (command, action) => {
    command
      .option('--json', 'print one JSON document to stdout')
      .option('--quiet', 'only warnings and errors on stderr')
      .action(async (...received: unknown[]) => {
        // Commander passes the arguments, then the options, then the command.
        const args = received
          .slice(0, -2)
          .flat()
          .filter((value) => typeof value === 'string');
        const options = command.opts();
        const session = openSession(io, options);
        state.session = session;
        try {
          // The options of a command are those it declared; each command states their types.
          await action(session.context, options as Parameters<typeof action>[1], args);
        } finally {
          session.close();
        }
      });
  };
}
