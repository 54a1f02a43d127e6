import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CheckpointError, type CheckpointStore, memoryStore, type Progress, readMetadata, StorageError } from '@bpc/core';
import { fileStore } from '@bpc/core/node';
import { add, mul, type Scalar, square, sum } from '@tensorflow/tfjs-core';
import { afterAll, describe, expect, it } from 'vitest';
import { diagonalMetric, hmc, key, real, type SampleOptions, type SamplingInfo, sample, sghmc, sgld, target } from '../src/index.js';
import { eightSchools, gaussian, numbersOf } from './support/sampling-models.js';

const folder = mkdtempSync(join(tmpdir(), 'bpc-draws-'));
afterAll(() => rmSync(folder, { recursive: true }));

type Algorithm = SampleOptions['algorithm'];

const rows = target({
  parameters: { beta: real([2]) },
  data: { x: Array.from({ length: 30 }, (_, i) => [Math.sin(i), Math.cos(i)]) },
  logDensity: ({ beta }, { x }) => add(mul(sum(square(beta)), -0.5), mul(sum(square(sum(mul(x, beta), 1))), -0.05)) as Scalar,
});

const nuts = { ...eightSchools, key: key(3), chains: 3, warmup: 120, draws: 80, keepWarmup: true };
const runs: [string, SampleOptions][] = [
  ['nuts', nuts as SampleOptions],
  ['nuts with a dense metric, thinned', { ...nuts, metric: 'dense', thin: 3, draws: 30 } as SampleOptions],
  [
    'nuts with a metric of its own',
    { ...gaussian, key: key(1), chains: 2, metric: diagonalMetric([4, 0.3]), warmup: 60, draws: 60 } as SampleOptions,
  ],
  [
    'hmc, which is tuned',
    {
      ...gaussian,
      key: key(5),
      chains: 2,
      warmup: 90,
      draws: 110,
      thin: 2,
      blockSize: 25,
      algorithm: (({ logDensity }) => hmc({ logDensity, stepSize: 0.1, leapfrogSteps: 4 })) as Algorithm,
    } as SampleOptions,
  ],
  [
    'sghmc in blocks',
    {
      ...gaussian,
      key: key(5),
      chains: 2,
      warmup: 33,
      draws: 60,
      thin: 3,
      blockSize: 20,
      keepWarmup: true,
      algorithm: (({ logDensity }) => sghmc({ logDensity, stepSize: 0.05, momentumDecay: 0.3 })) as Algorithm,
    } as SampleOptions,
  ],
  [
    'sgld with mini-batches',
    {
      ...rows,
      key: key(5),
      chains: 2,
      warmup: 20,
      draws: 90,
      blockSize: 16,
      minibatch: { size: 7 },
      algorithm: (({ logDensity }) => sgld({ logDensity, stepSize: 0.01 })) as Algorithm,
    } as SampleOptions,
  ],
];

const collect = async (options: SampleOptions) => numbersOf(await sample(options).collect());

/** Runs until `step` transitions of all chains are done. */
async function until(step: number, options: SampleOptions): Promise<boolean> {
  const controller = new AbortController();
  const onProgress = (progress: Progress<SamplingInfo>) => void (progress.step >= step && controller.abort());
  return (await sample({ ...options, signal: controller.signal, onProgress, progressInterval: 0 }).collect()).interrupted;
}

/** A store that fails at a write, as if the process had been killed there. */
function failingStore(store: CheckpointStore, writes: number): CheckpointStore {
  let left = writes;
  return {
    ...store,
    async write(name, bytes) {
      if (left-- <= 0) throw new StorageError('the disk is full', 'buy another');
      return store.write(name, bytes);
    },
  };
}

describe.each(runs)('resuming %s', (_, options) => {
  it('gives the bits of an uninterrupted run, wherever it was stopped, any number of times', async () => {
    const whole = await collect(options);
    const store = memoryStore();
    let stops = 0;
    for (const step of [1, 60, 150, 230, 330]) stops += Number(await until(step, { ...options, checkpoint: { store, every: 10 } }));
    expect(stops).toBeGreaterThan(2);
    expect(await collect({ ...options, checkpoint: { store } })).toEqual(whole);
    // Everything is done now: the draws come from the store.
    expect(await collect({ ...options, checkpoint: { store } })).toEqual(whole);
  });

  it('loses at most the last save when it is killed between any two writes', async () => {
    const whole = await collect(options);
    for (const writes of [0, 1, 2, 5, 10]) {
      const store = memoryStore();
      const outcome = await sample({ ...options, checkpoint: { store: failingStore(store, writes), every: 7 } })
        .collect()
        .catch((e: unknown) => e);
      expect(outcome).toBeInstanceOf(StorageError);
      expect(await collect({ ...options, checkpoint: { store, every: 20 } })).toEqual(whole);
      const left = await store.list();
      expect(left.filter((name) => name.endsWith('.rows.safetensors'))).toHaveLength(left.length - 1);
    }
  });

  it('goes on when more draws are asked for', async () => {
    const store = memoryStore();
    await sample({ ...options, checkpoint: { store } }).collect();
    const more = { ...options, draws: (options.draws ?? 0) + 37 };
    expect(await collect({ ...more, checkpoint: { store } })).toEqual(await collect(more));
  });
});

describe('a checkpoint', () => {
  it('keeps few files however often it saves, and none of what was replaced', async () => {
    const store = memoryStore();
    await sample({ ...nuts, checkpoint: { store, every: 1 } }).collect();
    expect(await store.list()).toHaveLength(2);
  });

  it('lets an iteration begin again from the first draw', async () => {
    const store = memoryStore();
    await until(450, { ...nuts, checkpoint: { store } } as SampleOptions);
    const mu: number[] = [];
    for await (const { values } of sample({ ...nuts, checkpoint: { store } })) mu.push(values['mu']![0]!);
    const whole: number[] = [];
    for await (const { values } of sample(nuts)) whole.push(values['mu']![0]!);
    expect(mu).toEqual(whole);
  });

  it('is saved while an iteration is left early, as of its last save', async () => {
    const store = memoryStore();
    for await (const { index, warmup } of sample({ ...nuts, draws: 100_000, checkpoint: { store, every: 5 } }))
      if (!warmup && index > 30) break;
    const step = readMetadata((await store.read('draws.safetensors'))!)['step'] as number;
    expect(step).toBeGreaterThanOrEqual(150);
    expect(step % 5).toBe(0);
  });

  it.each<[string, object, RegExp]>([
    ['another key', { key: key(4) }, /another key/],
    ['another warm-up', { warmup: 121 }, /warmup: saved 120, now 121/],
    ['another thinning', { thin: 7 }, /thin: saved \d+, now 7/],
    ['another target acceptance', { targetAcceptance: 0.9 }, /targetAcceptance/],
    ['another number of chains', { chains: 4 }, /chains: saved 3, now 4/],
    ['another start', { start: { mu: 0, tau: 1, school: { z: new Float64Array(8) } } }, /start/],
    [
      'another algorithm',
      { algorithm: ({ logDensity }: { logDensity: () => Scalar }) => hmc({ logDensity, stepSize: 0.1, leapfrogSteps: 2 }) },
      /algorithm/,
    ],
    ['other parameters', { parameters: { ...eightSchools.parameters, extra: real() } }, /variables|unconstrained/],
    ['fewer draws', { draws: 3 }, /holds \d+ draws of chain 0, but only 3 are asked for/],
    ['other data', { data: { ...eightSchools.data, y: [28, 8, -3, 7, -1, 1, 18, 13] } }, /another model or other data/],
    [
      'another model',
      { logDensity: ({ mu }: { mu: Scalar }) => mul(square(mu), -0.5) as Scalar, derived: eightSchools.derived },
      /another model or other data/,
    ],
  ])('of a run with %s is refused', async (_, changes, message) => {
    const store = memoryStore();
    await until(400, { ...nuts, checkpoint: { store, every: 20 } } as SampleOptions);
    const error = await sample({ ...nuts, ...changes, checkpoint: { store } } as SampleOptions)
      .collect()
      .catch((e: unknown) => e);
    expect(error).toBeInstanceOf(CheckpointError);
    expect((error as CheckpointError).message).toMatch(message);
  });

  it('tells algorithms apart by what is compiled', async () => {
    const store = memoryStore();
    const options = (momentumDecay: number): SampleOptions =>
      ({
        ...gaussian,
        key: key(5),
        chains: 1,
        warmup: 0,
        draws: 30,
        checkpoint: { store },
        algorithm: (({ logDensity }) => sghmc({ logDensity, stepSize: 0.05, momentumDecay })) as Algorithm,
      }) as SampleOptions;
    await sample(options(0.3)).collect();
    await expect(sample({ ...options(0.4), draws: 60 }).collect()).rejects.toThrow(/program: saved/);
  });

  it('from another environment is refused, unless inexact results are allowed', async () => {
    const store = memoryStore();
    await until(400, { ...nuts, checkpoint: { store, every: 20 } } as SampleOptions);
    const bytes = (await store.read('draws.safetensors'))!;
    const text = new TextDecoder('latin1').decode(bytes);
    // The record is text inside of the file's header: a name of equal length keeps the file valid.
    const engine = /\\"engine\\":\\"(\S)/.exec(text)!;
    const at = engine.index + engine[0].length - 1;
    bytes[at] = bytes[at]! === 57 ? 56 : 57;
    await store.write('draws.safetensors', bytes);
    await expect(sample({ ...nuts, checkpoint: { store } }).collect()).rejects.toThrow(/another environment/);
    const resumed = await sample({ ...nuts, checkpoint: { store, allowInexact: true } }).collect();
    expect(resumed.interrupted).toBe(false);
  });

  it('that is damaged is refused, whichever file is', async () => {
    const store = memoryStore();
    await until(400, { ...nuts, checkpoint: { store, every: 20 } } as SampleOptions);
    for (const name of await store.list()) {
      const bytes = (await store.read(name))!;
      await store.write(name, bytes.slice(0, bytes.length - 9));
      await expect(sample({ ...nuts, checkpoint: { store } }).collect()).rejects.toBeInstanceOf(CheckpointError);
      await store.write(name, bytes);
    }
    const [rowsFile] = (await store.list()).filter((name) => name.endsWith('.rows.safetensors'));
    await store.remove(rowsFile!);
    await expect(sample({ ...nuts, checkpoint: { store } }).collect()).rejects.toThrow(/is missing/);
  });
});

describe('a process that is killed', () => {
  const built = (path: string) => new URL(`../dist/${path}`, import.meta.url).href;
  const program = (store: string, name: string, draws: number) => `
    const { key, sample } = await import('${built('index.js')}');
    const { nodeWorkers } = await import('${built('node/index.js')}');
    const { fileStore } = await import('${new URL('../../core/dist/node/index.js', import.meta.url).href}');
    const workers = ${name === 'threads'} ? nodeWorkers({ threads: 2 }) : undefined;
    const model = { module: new URL('${new URL('./support/worker-models.mjs', import.meta.url).href}') };
    const draws = await sample({ model, ...(workers === undefined ? {} : { workers }), key: key(3), chains: 3, warmup: 200, draws: ${draws},
      checkpoint: { store: fileStore(${JSON.stringify(store)}), every: 100 }, progressInterval: 0, onProgress: ({ step }) => console.log(step) }).collect();
    console.log(draws.values.mu.reduce((a, b) => a + b, 0), draws.length);
  `;

  const run = (file: string, kill?: number) =>
    new Promise<{ lines: string[]; code: number | null }>((resolve) => {
      const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit'] });
      let text = '';
      child.stdout.on('data', (data: Buffer) => {
        text += data.toString();
        const steps = text.split('\n');
        if (kill !== undefined && Number(steps.at(-2)) >= kill) child.kill('SIGKILL');
      });
      child.on('close', (code) => resolve({ lines: text.trim().split('\n'), code }));
    });

  it.each(['one thread', 'threads'])('in %s resumes to the same bits', async (name) => {
    if (!existsSync(new URL('../dist/node/worker-main.js', import.meta.url)))
      throw new Error('this test runs what is built: npx tsc -b packages/samplers');
    const draws = 4000;
    const store = join(folder, name.replace(' ', '-'));
    const file = join(folder, `${name.replace(' ', '-')}.mjs`);
    writeFileSync(file, program(store, name, draws));
    for (const step of [2000, 9000]) expect((await run(file, step)).code).toBeNull();
    const { lines, code } = await run(file);
    expect(code).toBe(0);
    expect(Number(lines[0])).toBeGreaterThan(6000);
    const model = { module: new URL('./support/worker-models.mjs', import.meta.url) };
    const whole = await sample({ model, key: key(3), chains: 3, warmup: 200, draws }).collect();
    expect(lines.at(-1)).toBe(`${whole.values['mu']!.reduce((a, b) => a + b, 0)} ${draws}`);
    expect((await fileStore(store).list()).length).toBeLessThan(12);
  });
});
