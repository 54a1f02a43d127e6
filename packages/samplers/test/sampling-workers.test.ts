import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BpcError, ConfigError, InterruptedError, memoryStore, NonFiniteError, type Progress } from '@bpc/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { key, type SamplingInfo, sample, type WorkerPool } from '../src/index.js';
import { chainHost } from '../src/node/chain-host.js';
import { nodeWorkers as makeWorkers } from '../src/node/index.js';
import type { FromWorker } from '../src/node/protocol.js';
import { checkOptions } from '../src/sampling/check-options.js';
import { remoteModel } from '../src/sampling/load-model.js';
import { numbersOf } from './support/sampling-models.js';

const module = new URL('./support/worker-models.mjs', import.meta.url);
// Threads run what is built, not the sources that this program's options choose.
const nodeWorkers = ({ threads }: { readonly threads: number }) => makeWorkers({ threads, execArgv: [] });
const settings = { model: { module }, key: key(3), chains: 3, warmup: 100, draws: 60, keepWarmup: true };

beforeAll(() => {
  if (!existsSync(new URL('../dist/node/worker-main.js', import.meta.url)))
    throw new Error('threads run what is built: npx tsc -b packages/samplers');
});

async function withPool<R>(threads: number, use: (workers: WorkerPool) => Promise<R>): Promise<R> {
  const workers = nodeWorkers({ threads });
  try {
    return await use(workers);
  } finally {
    await workers.dispose();
  }
}

describe('workers', () => {
  let workers: WorkerPool;
  beforeAll(() => {
    workers = nodeWorkers({ threads: 2 });
  });
  afterAll(() => workers.dispose());

  it('give the draws of one thread, for any number of them', async () => {
    // Modules of one build in all threads: this one imports what is built, too.
    const here = numbersOf(await sample(settings).collect());
    for (const threads of [1, 2, 5]) {
      const there = await withPool(threads, (pool) => sample({ ...settings, workers: pool }).collect());
      expect(numbersOf(there)).toEqual(here);
      expect(there.provenance['runtime']).toMatchObject({ name: 'js' });
    }
  });

  it('give the draws of one thread for a tensor algorithm that the module exports', async () => {
    const algorithm = { export: 'langevin' };
    const here = numbersOf(await sample({ ...settings, algorithm }).collect());
    expect(numbersOf(await sample({ ...settings, algorithm, workers }).collect())).toEqual(here);
  });

  it('compute with the runtime that the module exports, as this thread does', async () => {
    const model = { module: new URL('./support/worker-runtime.mjs', import.meta.url) };
    const short = { ...settings, model, warmup: 12, draws: 5, chains: 2, maxDepth: 4 };
    const here = await sample(short).collect();
    const there = await sample({ ...short, workers }).collect();
    expect(there.provenance['runtime']).toMatchObject({ name: 'tfjs:cpu' });
    expect(there.provenance['runtime']).toEqual(here.provenance['runtime']);
    expect(numbersOf(there)).toEqual(numbersOf(here));
  });

  it('stay warm: a model is made once per thread and options', async () => {
    const counts = async (scale: number) => {
      const model = { module, export: 'counted', options: { scale } };
      const draws = await sample({ ...settings, model, workers, chains: 2 }).collect();
      return new Set(draws.values['count']);
    };
    expect(await counts(2)).toEqual(new Set([1]));
    expect(await counts(2)).toEqual(new Set([1]));
    expect(await counts(3)).toEqual(new Set([2]));
    expect(await counts(2)).toEqual(new Set([1]));
  });

  it('serve runs at the same time', async () => {
    const runs = [1, 2, 3].map((seed) => sample({ ...settings, key: key(seed), workers }).collect());
    const alone = await sample({ ...settings, key: key(2), workers }).collect();
    expect(numbersOf((await Promise.all(runs))[1]!)).toEqual(numbersOf(alone));
  });

  it('can be iterated, in the order of one thread', async () => {
    const collected = await sample({ ...settings, workers }).collect();
    let n = 0;
    for await (const { chain, index, warmup, values } of sample({ ...settings, workers })) {
      expect(chain).toBe(n % 3);
      const from = warmup ? collected.warmup! : collected;
      expect(values['mu']![0]).toBe(from.values['mu']![chain * from.length + index]);
      n += 1;
    }
    expect(n).toBe(3 * 160);
  });

  it('stop when they are told, with the draws so far, and serve the next run', async () => {
    const controller = new AbortController();
    const onProgress = ({ step }: Progress<SamplingInfo>) => void (step > 1000 && controller.abort());
    const long = { ...settings, workers, draws: 10_000_000, progressInterval: 0, onProgress, thin: 7 };
    let last = 0;
    const run = async () => {
      for await (const { index, warmup } of sample({ ...long, signal: controller.signal })) if (!warmup) last = index;
    };
    await expect(run()).rejects.toBeInstanceOf(InterruptedError);
    const part = await sample({ ...settings, draws: 200_000, workers, signal: AbortSignal.timeout(150) }).collect();
    expect(part.interrupted).toBe(true);
    expect(part.length).toBeLessThan(200_000);
    const again = await sample({ ...settings, draws: Math.max(1, part.length), workers }).collect();
    if (part.length > 0) expect(numbersOf(part)).toEqual(numbersOf(again));
    expect(last).toBeLessThan(10_000_000);
  });

  it('stop when an iteration is left, and serve the next run', async () => {
    for await (const { index } of sample({ ...settings, workers, draws: 10_000_000 })) if (index === 3) break;
    expect((await sample({ ...settings, workers }).collect()).length).toBe(60);
  });

  it.each([
    ['here what was begun there', true, 0],
    ['there what was begun here', false, 2],
    ['in three threads what was begun in two', true, 3],
  ])('save and resume, %s', async (_, begun, threads) => {
    const long = { ...settings, draws: 20_000 };
    const store = memoryStore();
    const controller = new AbortController();
    const onProgress = ({ step }: Progress<SamplingInfo>) => void (step > 3000 && controller.abort());
    const stopped = { checkpoint: { store }, signal: controller.signal, onProgress, progressInterval: 0 };
    expect((await sample({ ...long, ...(begun ? { workers } : {}), ...stopped }).collect()).interrupted).toBe(true);
    const resume = (pool?: WorkerPool) =>
      sample({ ...long, checkpoint: { store }, ...(pool === undefined ? {} : { workers: pool }) }).collect();
    const resumed = threads === 0 ? await resume() : await withPool(threads, resume);
    expect(numbersOf(resumed)).toEqual(numbersOf(await sample(long).collect()));
  });
});

describe('a thread', () => {
  it('is only so far ahead of the one that takes its draws', async () => {
    const sent: FromWorker[] = [];
    const host = chainHost((message) => void sent.push(message));
    const until = async (done: () => boolean) => {
      while (!done()) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    const chunks = () => sent.filter(({ kind }) => kind === 'chunks').length;
    const checked = checkOptions({ ...settings, draws: 10_000_000 }).settings;
    host.receive({ kind: 'open', id: 1, model: remoteModel({ module }), settings: checked, chains: [0, 1, 2] });
    await until(() => sent.some(({ kind }) => kind === 'opened'));
    host.receive({ kind: 'run', id: 1, saved: new Map(), allowInexact: false, plan: undefined });
    await until(() => chunks() >= 9);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(chunks()).toBe(9);
    host.receive({ kind: 'taken', id: 1 });
    await until(() => chunks() >= 10);
    host.receive({ kind: 'abort', id: 1 });
    await until(() => sent.some(({ kind }) => kind === 'done'));
    host.receive({ kind: 'close' });
    await until(() => sent.some(({ kind }) => kind === 'closed'));
    expect(sent.filter(({ kind }) => kind === 'error')).toEqual([]);
  });
});

describe('bad models', () => {
  let workers: WorkerPool;
  beforeAll(() => {
    workers = nodeWorkers({ threads: 2 });
  });
  afterAll(() => workers.dispose());

  const run = (pool: WorkerPool | undefined, model: object) =>
    sample({ ...settings, ...(pool === undefined ? {} : { workers: pool }), model: model as { module: URL } }).collect();

  const cases: [string, object, RegExp][] = [
    ['a module that is missing', { module: new URL('./no-such-module.mjs', import.meta.url) }, /no-such-module\.mjs cannot be imported/],
    ['a module that throws', { module: 'data:text/javascript,throw new Error("not today")' }, /cannot be imported: not today/],
    ['a module with a mistake in it', { module: 'data:text/javascript,export const target = {' }, /cannot be imported/],
    ['an export that is missing', { module, export: 'targe' }, /exports no 'targe'.*'target'/s],
    ['an export that is no target', { module, export: 'notATarget' }, /'notATarget' of .* is no target/],
    [
      'a runtime that is none',
      { module: new URL('./support/worker-bad-runtime.mjs', import.meta.url) },
      /what 'runtime' of .* returned is string, expected a Runtime/,
    ],
    ['a function that throws', { module, export: 'throwing' }, /'throwing' of .* threw: no such data set/],
  ];

  it.each(cases)('are refused with a remedy: %s', async (_, model, message) => {
    for (const pool of [workers, undefined]) {
      const error = await run(pool, model).catch((e: unknown) => e);
      expect(error).toBeInstanceOf(ConfigError);
      expect((error as ConfigError).message).toMatch(message);
      expect((error as ConfigError).remedy).not.toBe('');
    }
    expect((await sample({ ...settings, workers }).collect()).length).toBe(60);
  });

  it('are asked again by the next run', async () => {
    await withPool(1, async (pool) => {
      const model = { module, export: 'throwingOnce' };
      await expect(run(pool, model)).rejects.toThrow(/not yet/);
      expect((await run(pool, model)).length).toBe(60);
    });
  });

  it('keep the class of an error of their own', async () => {
    const error = await run(workers, { module, export: 'notFinite' }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(NonFiniteError);
    expect((error as NonFiniteError).message).toMatch(/chain [01] found no start in 100 tries/);
  });

  it('stop the other threads when a chain fails', async () => {
    const endless = { ...settings, model: { module, export: 'halfLine' }, workers, chains: 2, draws: 100_000_000 };
    const run = async () => {
      for await (const _ of sample({ ...endless, start: [{ x: 1 }, { x: -1 }] })) {
        /* until chain 1 has failed */
      }
    };
    const error = await run().catch((e: unknown) => e);
    expect(error).toBeInstanceOf(NonFiniteError);
    expect((error as NonFiniteError).message).toMatch(/chain 1 cannot start where it is told/);
  });

  it.each([
    ['ends', 'dying', /ended with code 7/],
    ['fails', 'failingLater', /failed \(out of luck\)/],
  ])('a thread that %s fails its run with a remedy, and the pool serves the next one', async (_, name, message) => {
    const doomed = sample({ ...settings, model: { module, export: name }, workers, chains: 1, draws: 100_000_000 });
    const run = async () => {
      for await (const _ of doomed) {
        /* until the thread is gone */
      }
    };
    const error = await run().catch((e: unknown) => e);
    expect(error).toBeInstanceOf(BpcError);
    expect(error).toMatchObject({ code: 'WORKER' });
    expect((error as BpcError).message).toMatch(message);
    expect((error as BpcError).remedy).toMatch(/new thread/);
    expect((await sample({ ...settings, workers }).collect()).length).toBe(60);
  });

  it('are refused by a pool that is disposed, and functions where names are needed', async () => {
    const workers = nodeWorkers({ threads: 1 });
    await workers.dispose();
    await expect(sample({ ...settings, workers }).collect()).rejects.toThrow(/disposed/);
    expect(() => nodeWorkers({ threads: 0 })).toThrow(ConfigError);
    const pool = nodeWorkers({ threads: 1 });
    const start = { mu: () => 1 } as unknown as { mu: number };
    await expect(sample({ ...settings, workers: pool, start }).collect()).rejects.toThrow(/cannot be sent to a thread/);
    await pool.dispose();
  });
});

describe('a program', () => {
  const built = new URL('../dist/index.js', import.meta.url).href;
  const builtNode = new URL('../dist/node/index.js', import.meta.url).href;
  const inNewProcess = (body: string) => {
    const file = join(mkdtempSync(join(tmpdir(), 'bpc-sampling-')), 'program.mjs');
    const imports = `const { key, sample } = await import('${built}');\nconst { nodeWorkers } = await import('${builtNode}');\n`;
    writeFileSync(file, `${imports}const module = new URL('${module.href}');\n${body}`);
    return spawnSync(process.execPath, [file], { encoding: 'utf8', timeout: 30_000 });
  };

  it('ends by itself while idle threads are still warm', () => {
    const { status, stdout } = inNewProcess(`
      const workers = nodeWorkers({ threads: 2 });
      const draws = await sample({ model: { module }, workers, key: key(1), warmup: 50, draws: 20 }).collect();
      console.log(draws.length);
    `);
    expect([status, stdout]).toEqual([0, '20\n']);
  });

  it('is not kept from ending by a pool that is disposed in the middle of a run', () => {
    const { status, stdout } = inNewProcess(`
      const workers = nodeWorkers({ threads: 2 });
      const onProgress = () => workers.dispose();
      const run = sample({ model: { module }, workers, key: key(1), draws: 2000000, thin: 10, onProgress }).collect();
      const outcome = await run.then((draws) => 'interrupted ' + draws.interrupted, (error) => error.code);
      console.log(outcome);
    `);
    expect([status, stdout.trim()]).toEqual([0, 'interrupted true']);
  });
});
