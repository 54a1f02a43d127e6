// A lock file for one machine: who holds it writes its process id and touches the file while it works.
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const HEARTBEAT_MS = 2_000;
const SILENT_MS = 60_000;

/** @param {unknown} error @param {string} code */
const hasCode = (error, code) => error instanceof Error && 'code' in error && error.code === code;

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return hasCode(error, 'EPERM');
  }
}

/**
 * Whether the process that made the lock is gone. A process id may be used again, hence the heartbeat as well.
 *
 * @param {string} file
 */
function isAbandoned(file) {
  const { pid, host } = JSON.parse(readFileSync(file, 'utf8') || '{}');
  if (Date.now() - statSync(file).mtimeMs > SILENT_MS) return true;
  return host === hostname() && !isAlive(pid);
}

/** @param {string} file @returns {boolean} */
function tryTake(file) {
  try {
    writeFileSync(file, JSON.stringify({ pid: process.pid, host: hostname() }), { flag: 'wx' });
    return true;
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  }
  try {
    if (isAbandoned(file)) {
      // Renaming is atomic: of several waiters one removes the abandoned lock, and all of them try again.
      const aside = `${file}.${process.pid}`;
      renameSync(file, aside);
      rmSync(aside, { force: true });
    }
  } catch (error) {
    // Gone meanwhile, or being written: the next try decides.
    if (!hasCode(error, 'ENOENT') && !(error instanceof SyntaxError)) throw error;
  }
  return false;
}

/**
 * Runs `work` while holding the lock `file`; waits for another holder.
 *
 * @template T
 * @param {string} file
 * @param {() => Promise<T>} work
 * @param {{ onWait?: () => void, pollMs?: number }} [options]
 * @returns {Promise<T>}
 */
export async function withLock(file, work, { onWait, pollMs = 200 } = {}) {
  mkdirSync(dirname(file), { recursive: true });
  for (let tries = 0; !tryTake(file); tries++) {
    if (tries === 0) onWait?.();
    await sleep(pollMs);
  }
  const release = () => rmSync(file, { force: true });
  const heartbeat = setInterval(() => utimesSync(file, new Date(), new Date()), HEARTBEAT_MS);
  process.once('exit', release);
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    process.removeListener('exit', release);
    release();
  }
}
