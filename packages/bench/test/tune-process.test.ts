import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildCommand, main } from './built-command.js';

beforeAll(buildCommand, 180_000);

/** Four trials on two threads, each long enough to be stopped in its middle. */
const settings = ['--dataset', 'digits', '--network', 'mlp', '--width', '8', '--depth', '1', '--runtime', 'js', '--workers', '2'].concat(
  ['--experts', '1', '--expert-epochs', '1', '--expert-images', '64', '--evaluation-steps', '5', '--evaluation-chains', '1'],
  ['--inner-steps', '2', '--augment', 'none', '--method', 'bpc-cd', '--trials', '4', '--tune-steps', '250', '--checkpoint-every', '10'],
);

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

/** Runs a search; with `signal`, until `when` holds. */
function tune(out: string, signal?: NodeJS.Signals, when: () => boolean = () => false): Promise<Ended> {
  const child = spawn(process.execPath, [main, 'tune', ...settings, '--out', out], { stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const timer = setInterval(() => {
    if (signal !== undefined && when()) child.kill(signal);
  }, 2);
  return new Promise((resolve) => {
    child.on('close', (code, ended) => {
      clearInterval(timer);
      resolve({ code, signal: ended, stderr });
    });
  });
}

const newFolder = () => join(mkdtempSync(join(tmpdir(), 'bpc-tune-process-')), 'search');
const list = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder) : []);
const finished = (out: string) => list(join(out, 'bpc-cd', 'checkpoint', 'pieces')).length;
/** Trials in the middle of their learning. */
const underWay = (out: string) => {
  const trials = join(out, 'bpc-cd', 'checkpoint', 'trials');
  return list(trials).filter((name) => existsSync(join(trials, name, 'checkpoint.safetensors'))).length;
};
const table = (out: string): unknown => JSON.parse(readFileSync(join(out, 'bpc-cd', 'tune.json'), 'utf8')).results;

describe('a search that is stopped', () => {
  const reference = newFolder();
  beforeAll(async () => {
    expect((await tune(reference)).code).toBe(0);
  }, 120_000);

  it('goes on to the same figures, bit for bit, after two kills in the middle of trials', async () => {
    const out = newFolder();
    for (const trials of [0, 1]) {
      const ended = await tune(out, 'SIGKILL', () => finished(out) >= trials && underWay(out) > 0);
      expect(ended.signal).toBe('SIGKILL');
    }
    const last = await tune(out);
    expect(last.code).toBe(0);
    expect(last.stderr).toContain('continuing the search');
    expect(table(out)).toEqual(table(reference));
  }, 120_000);

  it('saves at Ctrl-C, says so, and keeps what is finished', async () => {
    const out = newFolder();
    let sent = false;
    const ended = await tune(out, 'SIGINT', () => {
      if (sent || finished(out) === 0 || underWay(out) === 0) return false;
      sent = true;
      return true;
    });
    expect(ended.code).toBe(130);
    expect(ended.stderr).toContain('saving');
    expect(finished(out)).toBeGreaterThan(0);
    expect(existsSync(join(out, 'bpc-cd', 'tune.json'))).toBe(false);
    expect((await tune(out)).code).toBe(0);
    expect(table(out)).toEqual(table(reference));
  }, 120_000);
});
