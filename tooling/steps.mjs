// Runs named commands one after the other, goes on after a failure, and says at the end which failed.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url)).replace(/[/\\]$/, '');

/** @typedef {{ name: string, command: readonly string[], cwd?: string, env?: NodeJS.ProcessEnv, timeoutMs?: number }} Step */
/** @typedef {{ name: string, code: number, seconds: number }} StepResult */

/**
 * One step, with the terminal's streams. A step that takes longer than `timeoutMs` is ended and counts as failed.
 *
 * @param {Step} step
 * @returns {Promise<StepResult>}
 */
export async function runStep({ name, command: [command = '', ...args], cwd = root, env = {}, timeoutMs }) {
  const start = performance.now();
  // A group of its own, so that a timeout ends npm together with what it started.
  const grouped = timeoutMs !== undefined && process.platform !== 'win32';
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: process.platform === 'win32',
    detached: grouped,
  });
  const stop = (/** @type {NodeJS.Signals} */ signal) => {
    try {
      if (child.pid !== undefined) process.kill(grouped ? -child.pid : child.pid, signal);
    } catch {
      // It has ended meanwhile.
    }
  };
  const forward = (/** @type {NodeJS.Signals} */ signal) => {
    stop(signal);
    process.exit(130);
  };
  process.on('SIGINT', forward).on('SIGTERM', forward);
  const timer = timeoutMs === undefined ? undefined : setTimeout(() => stop('SIGKILL'), timeoutMs);
  const code = await new Promise((resolve) => {
    child.once('error', () => resolve(127));
    child.once('exit', (exitCode) => resolve(exitCode ?? 1));
  });
  clearTimeout(timer);
  process.removeListener('SIGINT', forward).removeListener('SIGTERM', forward);
  return { name, code, seconds: (performance.now() - start) / 1000 };
}

/**
 * Runs all steps and prints a summary to stderr.
 *
 * @param {readonly Step[]} steps
 * @returns {Promise<StepResult[]>}
 */
export async function runSteps(steps) {
  const results = [];
  for (const step of steps) {
    console.error(`\n▶ ${step.name}: ${step.command.join(' ')}`);
    results.push(await runStep(step));
  }
  console.error('');
  for (const { name, code, seconds } of results) {
    console.error(`${code === 0 ? '✓' : '✗'} ${name} (${seconds.toFixed(1)} s)${code === 0 ? '' : ` exit code ${code}`}`);
  }
  return results;
}
