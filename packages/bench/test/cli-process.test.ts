import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildCommand, main } from './built-command.js';

beforeAll(buildCommand, 180_000);

/** A run that trains, learns and scores on two threads; long enough to be interrupted, short enough for a test. */
const settings = [
  '--dataset',
  'digits',
  '--network',
  'mlp',
  '--width',
  '8',
  '--depth',
  '1',
  '--runtime',
  'js',
  '--workers',
  '2',
  '--experts',
  '2',
  '--expert-epochs',
  '1',
  '--expert-images',
  '64',
  '--inner-steps',
  '2',
  '--seeds',
  '2',
  '--augment',
  'none',
  '--steps',
  '600',
  '--checkpoint-every',
  '10',
  '--evaluation-steps',
  '5',
  '--evaluation-chains',
  '2',
  '--full-epochs',
  '1',
];
const newFolder = () => mkdtempSync(join(tmpdir(), 'bpc-process-'));
const coreset = (out: string, name = 'coreset.safetensors') => readFileSync(join(out, name));

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): { readonly child: ChildProcess; readonly ended: Promise<Ended> } {
  const child = spawn(process.execPath, [main, ...args], { env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return { child, ended };
}

/** Waits until a seed has a checkpoint, that is, until learning is under way. */
async function learning(out: string, ended: Promise<Ended>): Promise<void> {
  let over = false;
  void ended.then(() => {
    over = true;
  });
  while (!existsSync(join(out, 'checkpoint', 'seed-0', 'checkpoint.safetensors'))) {
    if (over) throw new Error(`the run ended before it learned: ${(await ended).stderr}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Kills or interrupts a run as soon as `when` holds. */
async function stopped(args: readonly string[], signal: NodeJS.Signals, when: () => boolean): Promise<Ended> {
  const { child, ended } = start(args);
  const timer = setInterval(() => {
    if (when()) child.kill(signal);
  }, 2);
  const result = await ended;
  clearInterval(timer);
  return result;
}

const files = (folder: string, pattern: RegExp): number =>
  existsSync(folder) ? readdirSync(folder).filter((name) => pattern.test(name)).length : 0;

const learn = (out: string) => ['learn', ...settings, '--out', out];

describe('a run of the command', () => {
  const reference = join(newFolder(), 'reference');
  let finished: Ended;

  beforeAll(async () => {
    finished = await start([...learn(reference), '--json']).ended;
  }, 120_000);

  it('exits with 0, one JSON document on stdout, and no escape codes off a terminal', () => {
    expect(finished.stderr).not.toContain('\u001b');
    expect(finished.code).toBe(0);
    expect(JSON.parse(finished.stdout).task).toMatchObject({ dataset: 'digits', ipc: 1, seeds: [0, 1] });
    expect(finished.stderr).toMatch(/training 2 experts: done in/);
  });

  it('gives the same bits on one thread as on two', async () => {
    const out = join(newFolder(), 'run');
    const alone = settings.with(settings.indexOf('--workers') + 1, '1');
    const { code, stderr } = await start(['learn', ...alone, '--quiet', '--out', out]).ended;
    expect(stderr).toBe('');
    expect(code).toBe(0);
    for (const name of ['coreset.safetensors', 'coreset-seed1.safetensors'])
      expect(coreset(out, name).equals(coreset(reference, name))).toBe(true);
    const rows = (folder: string) => JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8')).rows;
    expect(rows(out)).toEqual(rows(reference));
  }, 120_000);

  it('killed with SIGKILL in the middle of learning and started again ends with the same bits', async () => {
    const out = join(newFolder(), 'run');
    const { child, ended } = start(learn(out));
    await learning(out, ended);
    child.kill('SIGKILL');
    expect((await ended).signal).toBe('SIGKILL');
    expect(existsSync(join(out, 'coreset.safetensors'))).toBe(false);
    const again = await start(learn(out)).ended;
    expect(again.stderr).toContain('continuing the run');
    expect(again.code).toBe(0);
    for (const name of ['coreset.safetensors', 'coreset-seed1.safetensors'])
      expect(coreset(out, name).equals(coreset(reference, name))).toBe(true);
    const rows = (folder: string) => JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8')).rows;
    expect(rows(out)).toEqual(rows(reference));
  }, 120_000);

  it('of a method with a learned step size, killed with SIGKILL and started again, ends with the same bits', async () => {
    const state = ['--method', 'bpc-w', '--step-size-learning-rate', '0.01', '--seeds', '1', '--steps', '200'];
    const whole = join(newFolder(), 'whole');
    expect((await start([...learn(whole), ...state]).ended).code).toBe(0);
    const out = join(newFolder(), 'run');
    const { child, ended } = start([...learn(out), ...state]);
    await learning(out, ended);
    child.kill('SIGKILL');
    expect((await ended).signal).toBe('SIGKILL');
    expect(existsSync(join(out, 'coreset.safetensors'))).toBe(false);
    expect((await start([...learn(out), ...state]).ended).code).toBe(0);
    expect(coreset(out).equals(coreset(whole))).toBe(true);
  }, 120_000);

  it('interrupted with Ctrl-C saves, exits with 130, says so, and continues to the same bits', async () => {
    const out = join(newFolder(), 'run');
    const { child, ended } = start(learn(out));
    await learning(out, ended);
    child.kill('SIGINT');
    const { code, stderr } = await ended;
    expect(code).toBe(130);
    expect(stderr).toContain('Ctrl-C again');
    expect(stderr).toMatch(/interrupted: /);
    expect(existsSync(join(out, 'coreset.safetensors'))).toBe(false);
    expect((await start(learn(out)).ended).code).toBe(0);
    expect(coreset(out).equals(coreset(reference))).toBe(true);
    const leftovers = readdirSync(out, { recursive: true })
      .map(String)
      .filter((name) => /part-|\.tmp$|probe/.test(name));
    expect(leftovers).toEqual([]);
  }, 120_000);

  it.each([
    ['experts', 'SIGKILL', (out: string) => files(join(out, 'checkpoint', 'experts'), /^expert-\d+\.safetensors$/) >= 1],
    ['scoring', 'SIGKILL', (out: string) => files(join(out, 'checkpoint', 'pieces'), /^score-.*json$/) >= 2],
    ['outputs', 'SIGKILL', (out: string) => existsSync(join(out, 'coreset.safetensors'))],
    ['experts', 'SIGINT', (out: string) => files(join(out, 'checkpoint', 'experts'), /^expert-\d+\.safetensors$/) >= 1],
    ['scoring', 'SIGINT', (out: string) => files(join(out, 'checkpoint', 'pieces'), /^score-.*json$/) >= 2],
  ] as const)(
    'stopped while it works on its %s by %s ends with the same bits',
    async (_, signal, when) => {
      const out = join(newFolder(), 'run');
      const { code } = await stopped(learn(out), signal, () => when(out));
      expect(code).toBe(signal === 'SIGINT' ? 130 : null);
      expect(existsSync(join(out, 'results.json'))).toBe(false);
      expect((await start(learn(out)).ended).code).toBe(0);
      for (const name of ['coreset.safetensors', 'coreset-seed1.safetensors', 'coreset.png'])
        expect(coreset(out, name).equals(coreset(reference, name))).toBe(true);
      const rows = (folder: string) => JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8')).rows;
      expect(rows(out)).toEqual(rows(reference));
    },
    120_000,
  );

  it('is refused while another process works in the same folder', async () => {
    const out = join(newFolder(), 'run');
    const { child, ended } = start(learn(out));
    await learning(out, ended);
    const second = await start(learn(out)).ended;
    expect(second.code).toBe(2);
    expect(second.stderr).toMatch(/^error: output folder .* is in use by another bpc process.*\nremedy: .*--out/);
    child.kill('SIGKILL');
    await ended;
    expect((await start([...learn(out), '--quiet']).ended).code).toBe(0);
    expect(coreset(out).equals(coreset(reference))).toBe(true);
  }, 120_000);

  it('leaves at once at the second Ctrl-C', async () => {
    const out = join(newFolder(), 'run');
    const { child, ended } = start(learn(out));
    await learning(out, ended);
    child.kill('SIGINT');
    child.kill('SIGINT');
    expect((await ended).code).toBe(130);
  }, 120_000);
});

describe('the environment', () => {
  it('interrupts a download with exit code 130, and leaves neither half a file nor a run behind', async () => {
    const server = createServer((request, response) => {
      const { port } = server.address() as AddressInfo;
      const dist = { tarball: `http://127.0.0.1:${port}/slow.tgz` };
      if (!request.url?.endsWith('.tgz')) response.end(JSON.stringify({ dist, versions: { '1.0.0': { dist } } }));
      else {
        response.writeHead(200, { 'content-length': 1e7 });
        response.write(new Uint8Array(1000));
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const cache = newFolder();
    const out = join(newFolder(), 'run');
    const { child, ended } = start(['learn', '--out', out], {
      BPC_CACHE: cache,
      BPC_DATA: '',
      npm_config_registry: `http://127.0.0.1:${port}/`,
    });
    while (files(join(cache, 'mnist'), /part-/) === 0 && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 5));
    child.kill('SIGINT');
    const { code, stderr } = await ended;
    server.closeAllConnections();
    server.close();
    expect(stderr).toMatch(/interrupted: the download/);
    expect(code).toBe(130);
    expect(readdirSync(cache, { recursive: true })).toEqual(['mnist']);
    expect(existsSync(out)).toBe(false);
  }, 30_000);

  it('prints help with exit code 0 and refuses bad options with 2', async () => {
    expect((await start(['--help']).ended).code).toBe(0);
    const { code, stdout, stderr } = await start(['learn', '--ipc', '0']).ended;
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^error: .*\nremedy: .*\n$/);
  });

  it('ends without a complaint when the reader of its output has seen enough', () => {
    if (process.platform === 'win32') return;
    // Reads nothing and is gone before the first write.
    const command = `{ sleep 0.2; "$0" "$@"; echo "code $?" >&2; } | true`;
    const { stderr } = spawnSync('bash', ['-c', command, process.execPath, main, 'learn', '--help'], { encoding: 'utf8' });
    expect(stderr).toBe('code 0\n');
  });

  it('goes on when nobody reads its progress any more', () => {
    if (process.platform === 'win32') return;
    const out = join(newFolder(), 'run');
    const command = `{ sleep 0.2; "$0" "$@" 2>&1 >/dev/null; } | true; exit \${PIPESTATUS[0]}`;
    const { status } = spawnSync('bash', ['-c', command, process.execPath, main, 'learn', ...settings, '--steps', '5', '--out', out]);
    expect(status).toBe(0);
    expect(existsSync(join(out, 'results.json'))).toBe(true);
  }, 60_000);

  it('refuses a disk without space before any work', () => {
    if (process.platform === 'win32') return;
    // A limit on file sizes is what a full disk looks like without being one.
    const out = join(newFolder(), 'run');
    const command = `ulimit -f 16; exec "$0" "$@"`;
    const { status, stderr } = spawnSync('bash', ['-c', command, process.execPath, main, 'learn', ...settings, '--out', out], {
      encoding: 'utf8',
    });
    expect(stderr).toMatch(/^error: cannot write .*\nremedy: .*--out/);
    expect(status).toBe(2);
  });

  it('shows the stack only when debugging', async () => {
    expect((await start(['learn', '--ipc', '0'], { DEBUG: '' }).ended).stderr).not.toContain('    at ');
    expect((await start(['learn', '--ipc', '0'], { DEBUG: '1' }).ended).stderr).toContain('    at ');
  });

  it('lets the doctor name runtimes and data sets as one JSON document', async () => {
    const { code, stdout } = await start(['doctor', '--runtime', 'js', '--json']).ended;
    expect(code).toBe(0);
    const { runtimes, datasets } = JSON.parse(stdout);
    expect(runtimes).toMatchObject([{ name: 'js', state: 'ok', missingKernels: [] }]);
    expect(runtimes[0].lackingKernels).toContain('Multinomial');
    expect(runtimes[0].lackingKernels).not.toContain('Conv2D');
    expect(datasets.map((set: { name: string }) => set.name)).toContain('digits');
  }, 60_000);

  it('lets the doctor list which kernels an eager backend lacks, and count them for people', async () => {
    const { stdout } = await start(['doctor', '--runtime', 'tfjs:wasm']).ended;
    const [, count, names] = /tfjs:wasm: (\d+) \((.*)\)/.exec(stdout) ?? [];
    expect(names?.split(', ')).toContain('Conv2DBackpropFilter');
    expect(names?.split(', ')).not.toContain('Conv2D');
    expect(Number(count)).toBe(names?.split(', ').length);
  }, 60_000);
});
