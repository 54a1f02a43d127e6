import { resolveConfig } from '@bpc/bench';
import { ConfigError } from '@bpc/core';
import { describe, expect, it } from 'vitest';
import { getDataset } from '../src/data/get-dataset.js';
import { describeRun, roughSeconds } from '../src/learning/describe-run.js';
import { learningPasses } from '../src/learning/job-cost.js';
import { type Job, runJobs } from '../src/learning/jobs.js';
import { costMeter } from '../src/learning/phases.js';
import { snapshotSteps } from '../src/learning/snapshots.js';
import { chooseRuntime } from '../src/runtime-choice/index.js';
import { taskPool } from '../src/workers/index.js';

describe('snapshotSteps', () => {
  it('are the quarters, beside the steps that a checkpoint is saved at', () => {
    expect(snapshotSteps({ steps: 500, checkpointEvery: 50 })).toEqual([125, 249, 375]);
    expect(snapshotSteps({ steps: 400, checkpointEvery: 1 })).toEqual([100, 200, 300]);
  });

  it.each([1, 2, 3, 4, 5, 7, 50])('lie strictly between the first and the last of %i steps, none twice', (steps) => {
    for (const checkpointEvery of [1, 2, 3, 50]) {
      const found = snapshotSteps({ steps, checkpointEvery });
      expect(found).toEqual([...new Set(found)].sort((a, b) => a - b));
      expect(found.every((step) => step > 0 && step < steps)).toBe(true);
    }
  });
});

describe('costMeter', () => {
  it('divides the time into phases whose sum is the whole, also over several processes', async () => {
    const pieces = new Map<string, unknown>();
    // The meter is given only what it wrote itself.
    const folder = {
      readPiece: <T>(name: string) => pieces.get(name) as T | undefined,
      writePiece: async (name: string, value: unknown) => void pieces.set(name, structuredClone(value)),
    };
    let clock = 0;
    const meter = costMeter(folder, () => clock);
    await meter.phase('learn', async (enter) => {
      clock += 3_000;
      await meter.task('ceiling', 2);
      expect(pieces.get('cost')).toMatchObject({ seconds: { learn: 3 }, threadSeconds: { ceiling: 2 } });
      clock += 1_000;
      enter('evaluate');
      enter('evaluate');
      clock += 500;
    });
    clock += 100_000;
    const next = costMeter(folder, () => clock);
    await expect(
      next.phase('evaluate', async () => {
        clock += 250;
        await next.task('ceiling', 1);
        throw new Error('stopped');
      }),
    ).rejects.toThrow('stopped');
    expect(next.cost()).toMatchObject({ seconds: { learn: 4, evaluate: 0.75 }, threadSeconds: { ceiling: 3 } });
    expect(next.cost().peakRssMb).toBeGreaterThan(10);
  });
});

describe('runJobs', () => {
  const module = `data:text/javascript,${encodeURIComponent('export const task = async ({ name }) => name;')}`;
  const job = (name: string, after: readonly string[] = []): Job => ({
    name,
    kind: 'test',
    weight: 1,
    task: { module, export: 'task', options: { name } },
    after,
  });

  it('keeps each result under its job and does not wait for jobs that are done already', async () => {
    const stored: unknown[] = [];
    const pool = taskPool({ workers: 0, shared: undefined });
    await runJobs({
      pool,
      jobs: [job('a'), job('b', ['a', 'done before'])],
      progress: () => ({ update: () => undefined, finish: () => undefined, stop: () => undefined }),
      store: async ({ name }, result) => void stored.push([name, result]),
    });
    await pool.dispose();
    expect(stored).toEqual([
      ['a', 'a'],
      ['b', 'b'],
    ]);
  });
});

describe('roughSeconds', () => {
  it('grows with seeds and steps and shrinks with workers', async () => {
    const dataset = await getDataset('digits');
    const seconds = (flags: object) => roughSeconds(resolveConfig({ flags: { dataset: 'digits', workers: 2, ...flags } }), dataset);
    expect(seconds({ seeds: 6 })).toBeGreaterThan(1.5 * seconds({ seeds: 3 }));
    expect(seconds({ steps: 3_000 })).toBeGreaterThan(2 * seconds({ steps: 300 }));
    expect(seconds({ workers: 4 })).toBeCloseTo(seconds({}) / 2, 6);
  });
});

describe('describeRun', () => {
  it('says by which method and from which preset, and whether that is tuned', async () => {
    const dataset = await getDataset('digits');
    const lines = (flags: object) => describeRun(resolveConfig({ flags: { dataset: 'digits', ...flags } }), dataset, 'out').join('\n');
    expect(lines({ method: 'bpc-w' })).toMatch(/by BPC-W \(Wasserstein .*\), from preset small-bpc-w \(untuned, first guesses\)/);
    expect(lines({ preset: 'paper-psvi' })).toMatch(/by PSVI .*paper-psvi \(the paper's settings, for a GPU; not run by us\)/);
    expect(lines({ dataset: 'mnist' })).toContain('small-bpc-cd (tuned on validation)');
  });
});

describe('learningPasses', () => {
  const passes = (flags: object) => learningPasses(resolveConfig({ flags: { dataset: 'digits', steps: 10, ...flags } }), 10);

  it('grows with what each method does more of', () => {
    for (const method of ['bpc-cd', 'bpc-fkl', 'bpc-rkl', 'bpc-w', 'psvi'])
      expect(passes({ method, innerSteps: 40 })).toBeGreaterThan(passes({ method, innerSteps: 10 }));
    for (const method of ['bpc-fkl', 'bpc-rkl', 'psvi'])
      expect(passes({ method, draws: 20 })).toBeGreaterThan(passes({ method, draws: 2 }));
    for (const method of ['bpc-rkl', 'psvi']) expect(passes({ method, realBatch: 900 })).toBeGreaterThan(passes({ method, realBatch: 9 }));
    // A chain of its own for every draw.
    expect(passes({ method: 'bpc-fkl', temperature: 1e-7 })).toBeGreaterThan(passes({ method: 'bpc-fkl' }));
    expect(passes({ method: 'bpc-cd', draws: 20 })).toBe(passes({ method: 'bpc-cd', draws: 1 }));
  });
});

describe('chooseRuntime', () => {
  it('refuses a device that does not start before any work', async () => {
    const open = async () => {
      throw new ConfigError("ONNX Runtime's provider 'cuda' does not start on this machine", 'pass --runtime onnx:cpu');
    };
    const wish = { announce: () => undefined, load: async () => ({}), open };
    await expect(chooseRuntime({ ...wish, wanted: 'onnx:cuda' })).rejects.toThrow(ConfigError);
    await expect(chooseRuntime({ ...wish, wanted: 'onnx:cpu' })).resolves.toEqual({ family: 'onnx', provider: 'cpu' });
  });
});
