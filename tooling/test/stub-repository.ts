import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, realpathSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const TOOLING = join(import.meta.dirname, '..');

/** The program that `start` runs: reports its arguments and signals, and ends as `--exit N` says. */
const PROGRAM = `
const args = process.argv.slice(2);
const exit = Number(args[args.indexOf('--exit') + 1] ?? 0);
if (args.includes('--wait')) {
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => console.log(JSON.stringify({ signal })));
  process.once('SIGINT', () => setTimeout(() => process.exit(130), 400));
  process.once('SIGTERM', () => setTimeout(() => process.exit(143), 100));
  setInterval(() => {}, 1000);
} else process.exitCode = args.includes('--exit') ? exit : 0;
console.log(JSON.stringify({ args, stage: 'started' }));
`;

/** A compiler that copies, takes a moment, and fails where the source says so. */
const COMPILER = `
const { mkdirSync, readFileSync, writeFileSync } = require('node:fs');
const source = readFileSync('packages/bench/src/main.js', 'utf8');
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
if (source.includes('SYNTAX ERROR')) process.exit(2);
mkdirSync('packages/bench/dist/cli', { recursive: true });
writeFileSync('packages/bench/dist/cli/main.js', source);
writeFileSync('packages/bench/dist/.tsbuildinfo', '');
`;

/** What one run printed and how it ended. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A repository of the same layout whose dependencies are local folders, so that `npm ci` needs no network. */
export class StubRepository {
  readonly root: string;
  readonly source: string;

  constructor() {
    this.root = realpathSync(mkdtempSync(join(tmpdir(), 'a path with spaces ')));
    this.source = join(this.root, 'packages/bench/src/main.js');
    cpSync(join(TOOLING, 'bootstrap'), join(this.root, 'tooling/bootstrap'), { recursive: true });
    cpSync(join(TOOLING, 'bootstrap.mjs'), join(this.root, 'tooling/bootstrap.mjs'));
    this.write('packages/bench/src/main.js', PROGRAM);
    this.write('packages/bench/package.json', '{ "name": "bench", "version": "0.0.0", "type": "module" }');
    this.write('vendor/typescript/package.json', '{ "name": "typescript", "version": "5.9.0" }');
    this.write('vendor/typescript/bin/tsc', COMPILER);
    this.write('tsconfig.json', '{ "references": [{ "path": "packages/bench" }] }');
    const scripts = { start: 'node tooling/bootstrap.mjs start', inner: 'node tooling/bootstrap.mjs bpc' };
    this.write(
      'package.json',
      JSON.stringify({ name: 'stub', version: '1.0.0', private: true, scripts, dependencies: { typescript: 'file:vendor/typescript' } }),
    );
    spawnSync('npm', ['install', '--package-lock-only', '--offline'], { cwd: this.root, shell: process.platform === 'win32' });
  }

  write(path: string, text: string): void {
    mkdirSync(join(this.root, path, '..'), { recursive: true });
    writeFileSync(join(this.root, path), text);
  }

  /** Starts `node <flags> tooling/bootstrap.mjs …` in another folder, as a user might. */
  spawn(args: readonly string[], { flags = [], env = {} }: { flags?: readonly string[]; env?: NodeJS.ProcessEnv } = {}): ChildProcess {
    const { npm_lifecycle_event: _outer, ...rest } = process.env;
    return spawn(process.execPath, [...flags, join(this.root, 'tooling/bootstrap.mjs'), ...args], {
      cwd: tmpdir(),
      env: { ...rest, ...env },
    });
  }

  run(args: readonly string[], options?: { flags?: readonly string[]; env?: NodeJS.ProcessEnv }): Promise<Outcome> {
    return outcome(this.spawn(args, options));
  }
}

/** Collects the output of a process until it ends. */
export function outcome(child: ChildProcess): Promise<Outcome> {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (data) => (stdout += data));
  child.stderr?.on('data', (data) => (stderr += data));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, stdout, stderr })));
}

/** Waits until a process has printed `text` on stdout. */
export function printed(child: ChildProcess, text: string): Promise<void> {
  let seen = '';
  return new Promise((resolve, reject) => {
    child.stdout?.on('data', (data) => {
      seen += data;
      if (seen.includes(text)) resolve();
    });
    child.once('close', () => reject(new Error(`ended without printing '${text}': ${seen}`)));
  });
}
