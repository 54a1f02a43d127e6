// The program runs inside this process, so its exit code, its streams and its signals need no forwarding. Two things remain.
import { readFileSync } from 'node:fs';

const REPEAT_MS = 250;
const ORPHAN_POLL_MS = 1_000;

/**
 * Lets a Ctrl-C count once. The terminal sends SIGINT to npm and to this process, and npm sends it here again; programs
 * take a second SIGINT for "stop at once".
 */
export function ignoreRepeatedInterrupts() {
  const emit = process.emit;
  let last = Number.NEGATIVE_INFINITY;
  const emitOnce = (/** @type {string} */ event, /** @type {unknown[]} */ ...args) => {
    if (event === 'SIGINT') {
      const now = performance.now();
      if (now - last < REPEAT_MS) return true;
      last = now;
    }
    return Reflect.apply(emit, process, [event, ...args]);
  };
  process.emit = /** @type {typeof process.emit} */ (emitOnce);
}

/**
 * The chain of parents up to npm. npm runs a script through a shell; some shells replace themselves with the command, others
 * (dash) stay in between.
 */
function parents() {
  const parent = process.ppid;
  try {
    const status = readFileSync(`/proc/${parent}/status`, 'utf8');
    const isShell = /^Name:\s*(ba|da|a|k|z)?sh$/m.test(status);
    return isShell ? `${parent} ${/^PPid:\s*(\d+)/m.exec(status)?.[1]}` : `${parent}`;
  } catch {
    // No /proc here, or the parent is gone just now, which the next look shows as another parent.
    return `${parent}`;
  }
}

/**
 * Ends this process as SIGTERM would when npm, which waits for it, was killed: a second start would write to the same folder.
 */
export function stopWhenOrphaned() {
  if (process.env['npm_lifecycle_event'] === undefined || process.platform === 'win32') return;
  const before = parents();
  setInterval(() => {
    if (parents() !== before) process.kill(process.pid, 'SIGTERM');
  }, ORPHAN_POLL_MS).unref();
}
