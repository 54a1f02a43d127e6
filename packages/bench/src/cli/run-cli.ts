import { ConfigError, ensureHostBackend, HOST_BACKEND } from '@bpc/core';
import { setBackend } from '@tensorflow/tfjs-core';
import { CommanderError } from 'commander';
import { mayColour } from '../progress/index.js';
import { exitCodeOf } from './exit-code.js';
import { printError } from './print-error.js';
import { buildProgram } from './program.js';
import type { RunnerState } from './runner.js';
import type { CliIo } from './session.js';

const processIo: CliIo = {
  stdout: (text) => {
    process.stdout.write(text);
  },
  stderr: (line) => {
    process.stderr.write(`${line}\n`);
  },
};

/** A refusal of the option parser in our own form. */
function usageError(error: CommanderError): ConfigError {
  if (error.code === 'commander.help')
    return new ConfigError('a sub-command is missing', 'add --help to see the sub-commands', { cause: error });
  const [message = '', hint] = error.message.replace(/^error: /, '').split('\n');
  const remedy = hint === undefined ? 'add --help to see commands and options' : hint.replace(/^\((.*)\)$/, '$1');
  return new ConfigError(message, remedy, { cause: error });
}

/**
 * Runs one command line.
 *
 * @param args - the words after `bpc`.
 * @returns the exit code: 0 done, 1 failed, 2 bad usage or input, 130 interrupted.
 */
export async function runCli(args: readonly string[], io: CliIo = processIo): Promise<number> {
  const state: RunnerState = {};
  const print = (error: unknown) =>
    printError(error, { write: io.stderr, colour: mayColour(process.stderr), debug: (process.env['DEBUG'] ?? '') !== '' });
  // Coresets are read and made as tensors here too, where no engine is open; a package that is merely looked at must not
  // become the backend of this thread.
  ensureHostBackend();
  await setBackend(HOST_BACKEND);
  try {
    const program = buildProgram(io, state);
    if (args.length === 0) {
      io.stderr(program.helpInformation());
      return 2;
    }
    await program.parseAsync([...args], { from: 'user' });
    return 0;
  } catch (error) {
    const code = exitCodeOf(error, state.session?.workBegan() ?? false);
    if (code !== 0) print(error instanceof CommanderError ? usageError(error) : error);
    return code;
  }
}
