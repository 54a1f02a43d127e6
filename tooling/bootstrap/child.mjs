// Runs npm and tsc to the end; if this process is told to stop, they stop first.
import { spawn } from 'node:child_process';

const SIGNALS = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);
const NUMBERS = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 };

/** What a shell reports for a process that a signal ended. @param {'SIGINT' | 'SIGTERM' | 'SIGHUP'} signal */
export const signalExitCode = (signal) => 128 + NUMBERS[signal];

/**
 * Runs a command whose output goes to stderr, because stdout belongs to the program that is started afterwards.
 * Exits this process when it is signalled, once the command has ended.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd: string, env?: NodeJS.ProcessEnv, shell?: boolean }} options
 * @returns {Promise<number>} the exit code
 */
export function run(command, args, { cwd, env = process.env, shell = false }) {
  return new Promise((resolve, reject) => {
    /** @type {'SIGINT' | 'SIGTERM' | 'SIGHUP' | undefined} */
    let stopped;
    const stop = (/** @type {'SIGINT' | 'SIGTERM' | 'SIGHUP'} */ signal) => {
      stopped = signal;
      child.kill('SIGTERM');
    };
    const end = () => {
      for (const signal of SIGNALS) process.removeListener(signal, stop);
    };
    // Before the command starts, so that no signal falls between the two and leaves it behind.
    for (const signal of SIGNALS) process.on(signal, stop);
    const child = spawn(command, args, { cwd, env, shell, stdio: ['ignore', 2, 2] });
    child.once('error', (error) => {
      end();
      reject(error);
    });
    child.once('exit', (code, signal) => {
      end();
      if (stopped !== undefined) process.exit(signalExitCode(stopped));
      resolve(code ?? (signal === 'SIGINT' ? signalExitCode('SIGINT') : 1));
    });
  });
}
