import { ConfigError } from '@bpc/core';
import { describe, expect, it } from 'vitest';
import type { DatasetName } from '../src/config/index.js';
import { manifestEntry, shippedManifest } from '../src/data/manifest.js';
import { lookIntoFolder } from '../src/run-folder/index.js';
import { tableCells } from '../src/table/cells.js';
import { changedCells, keepSettings } from '../src/table/changes.js';
import { type DatasetFacts, tableJobs } from '../src/table/jobs.js';
import { onlyCells } from '../src/table/only.js';
import { parseTableConfig, seedsFor } from '../src/table/read-table-config.js';
import { longestFirst, remainingJobs, wallSeconds } from '../src/table/remaining.js';
import { jobTimes } from '../src/table/times.js';

const base = {
  datasets: ['mnist', 'cifar10'],
  ipc: [1, 10],
  methods: ['bpc-cd', 'psvi'],
  rows: ['random', 'nearest-mean', 'herding', 'init', 'full'],
};
const facts = (name: DatasetName): DatasetFacts => {
  const { shape, classes, splits } = manifestEntry(shippedManifest(), name);
  return { name, shape, classes, counts: splits };
};
const nowhere = lookIntoFolder('no-such-folder');
const plan = (values: object) => tableJobs(tableCells(parseTableConfig(values)).possible, facts, { paths: nowhere });
const names = (values: object) => new Set(plan(values).jobs.map(({ name }) => name));

describe('a table file', () => {
  it.each([
    [{ ...base, datasets: ['mnits'] }, /'datasets\[0\]' is 'mnits'.*did you mean 'mnist'/],
    [{ ...base, methods: [] }, /'methods' is \[\]/],
    [{ ...base, methods: ['bpc-cd', 'bpc-cd'] }, /none twice/],
    [{ ...base, sedes: 3 }, /unknown option 'sedes' in t\.json.*did you mean 'seeds'/],
    [{ ...base, seeds: { 1: 5 } }, /'seeds' in t\.json has no number for 10 images per class/],
    [{ ...base, metrics: ['accurracy'] }, /'metrics\[0\]' is 'accurracy'.*did you mean 'accuracy'/],
    [{ ...base, ipc: [0] }, /'ipc\[0\]' is 0/],
    [{ ...base, settings: { imageLeraningRate: 3 } }, /unknown option 'settings\.imageLeraningRate'.*did you mean 'imageLearningRate'/],
    [{ ...base, settings: { evaluation: { chians: 3 } } }, /unknown option 'settings\.evaluation\.chians'.*'chains'/],
    [{ ...base, settings: { steps: -1 } }, /'settings\.steps' is -1.*expected an integer >= 1/],
    [{ ...base, settings: { seed: 4 } }, /'settings\.seed' in t\.json cannot differ.*set seed of the table/],
    [
      { ...base, overrides: [{ methods: ['psvi'], settings: { evaluation: { steps: 1 } } }] },
      /for psvi only, expected the same for every row/,
    ],
    [{ ...base, overrides: [{ methods: ['psvi'], settings: { width: 8 } }] }, /overrides\[0\]\.settings\.width/],
    [{ ...base, overrides: [{ settigns: {} }] }, /'settings' is missing|overrides\[0\]/],
  ])('is refused with the place, the value and a remedy: %#', (values, message) => {
    expect(() => parseTableConfig(values, 't.json')).toThrow(ConfigError);
    expect(() => parseTableConfig(values, 't.json')).toThrow(message);
  });

  it('may give seeds per number of images per class', () => {
    const table = parseTableConfig({ ...base, seeds: { 1: 5, 10: 3 }, seed: 7 });
    expect(seedsFor(table, 1)).toEqual([7, 8, 9, 10, 11]);
    expect(seedsFor(table, 10)).toEqual([7, 8, 9]);
  });
});

describe('the cells of a table', () => {
  it('share network, evaluation and ceiling in every row of a data set and number of images per class', () => {
    const { possible, impossible } = tableCells(
      parseTableConfig({
        ...base,
        settings: { evaluation: { chains: 5 } },
        overrides: [{ datasets: ['cifar10'], settings: { width: 16, evaluation: { steps: 77 } } }],
      }),
    );
    expect(impossible).toEqual([]);
    for (const group of ['mnist/1', 'mnist/10', 'cifar10/1', 'cifar10/10']) {
      const shared = possible
        .filter(({ id }) => id.startsWith(`${group}/`))
        .map(({ config: { evaluation, full, network, width, depth, scoreOn } }) =>
          JSON.stringify({ evaluation, full, network, width, depth, scoreOn }),
        );
      expect(shared.length).toBe(7);
      expect(new Set(shared).size).toBe(1);
      expect(shared[0]).toContain('"chains":5');
      expect(shared[0]?.includes('"steps":77')).toBe(group.startsWith('cifar10'));
    }
  });

  it('takes what contradicts itself as impossible and leaves the others alone', () => {
    const { possible, impossible } = tableCells(
      parseTableConfig({
        ...base,
        overrides: [{ methods: ['bpc-cd'], ipc: [10], settings: { expertEpochs: 2, startEpochRange: [0, 4] } }],
      }),
    );
    expect(impossible.map(({ id }) => id)).toEqual(['mnist/10/bpc-cd', 'cifar10/10/bpc-cd']);
    expect(impossible[0]?.failure.message).toMatch(/startEpochRange ends at epoch 4/);
    expect(possible.map(({ id }) => id)).toContain('mnist/10/psvi');
  });

  it('are all impossible where their common evaluation is', () => {
    const { impossible } = tableCells(
      parseTableConfig({ ...base, overrides: [{ datasets: ['mnist'], ipc: [1], settings: { evaluation: { temperature: 0, draws: 4 } } }] }),
    );
    expect(impossible).toHaveLength(7);
    expect(impossible.every(({ id }) => id.startsWith('mnist/1/'))).toBe(true);
  });

  it('have an init row per start where methods start from different images', () => {
    const { possible } = tableCells(
      parseTableConfig({ ...base, datasets: ['mnist'], ipc: [1], overrides: [{ methods: ['psvi'], settings: { init: 'mix' } }] }),
    );
    expect(possible.filter(({ row }) => row.startsWith('init')).map(({ row }) => row)).toEqual(['init (nearest-mean)', 'init (mix)']);
    expect(possible.find(({ row }) => row === 'psvi')?.ownInit).toBe('init (mix)');
  });

  it('can be named by parts, and a wrong name is refused', () => {
    const { possible } = tableCells(parseTableConfig(base));
    expect(onlyCells(possible, ['cifar10/1']).map(({ id }) => id)).toHaveLength(7);
    expect(onlyCells(possible, ['*/10/psvi', 'mnist/1/random']).map(({ id }) => id)).toEqual([
      'mnist/1/random',
      'mnist/10/psvi',
      'cifar10/10/psvi',
    ]);
    expect(() => onlyCells(possible, ['mnist/1/bpc-dc'])).toThrow(/did you mean 'mnist\/1\/bpc-cd'/);
  });
});

describe('the jobs of a table', () => {
  it('are each there once: equal controls, shared experts and a ceiling that all numbers of images share', () => {
    const { jobs, sources } = plan({ ...base, datasets: ['mnist'], seeds: 2 });
    const of = (kind: string) => jobs.filter((job) => job.kind === kind).length;
    expect(of('full')).toBe(2);
    expect(of('learn bpc-cd')).toBe(4);
    const score = (id: string) => sources.get(id)?.map(({ job }) => job);
    expect(score('mnist/1/init')).toEqual(score('mnist/1/nearest-mean'));
    expect(score('mnist/10/init')).toEqual(score('mnist/10/random'));
    expect(score('mnist/1/init')).not.toEqual(score('mnist/1/random'));
    // Both methods, herding and all seeds learn from the same experts.
    const experts = jobs.filter(({ kind }) => kind === 'experts');
    expect(experts.every(({ cells }) => cells.length === 3)).toBe(true);
  });

  it('change their names exactly where a setting concerns them', () => {
    const before = names(base);
    const gone = (values: object) => [...before].filter((name) => !names(values).has(name));
    const learning = gone({ ...base, overrides: [{ methods: ['psvi'], datasets: ['mnist'], settings: { imageLearningRate: 0.7 } }] });
    expect(learning.length).toBeGreaterThan(0);
    expect(learning.every((name) => /^make-mnist-ipc\d+-psvi-|^score-mnist-/.test(name))).toBe(true);
    expect(learning.filter((name) => name.startsWith('score-'))).toHaveLength(6);
    const ceiling = gone({ ...base, overrides: [{ datasets: ['mnist'], settings: { full: { epochs: 3 } } }] });
    expect(ceiling.every((name) => name.startsWith('full-mnist-'))).toBe(true);
    const scoring = gone({ ...base, settings: { evaluation: { chains: 4 } } });
    expect(scoring.every((name) => name.startsWith('score-'))).toBe(true);
    expect(gone({ ...base, workers: 7, title: 'another', printed: false, metrics: ['nll'], seeds: 5 })).toEqual([]);
    const fewer = gone({ ...base, seeds: 2 });
    expect(fewer.every((name) => name.includes('-seed2-'))).toBe(true);
  });

  it('are left in an order in which each comes after those it waits for, the longest chains first', () => {
    const { jobs } = plan(base);
    const times = jobTimes({ readPiece: () => undefined, writePiece: async () => undefined });
    const { left } = remainingJobs(jobs, nowhere);
    expect(left).toHaveLength(jobs.length);
    const order = longestFirst(left, times);
    const places = new Map(order.map(({ name }, place) => [name, place]));
    for (const job of order) for (const name of job.after) expect(places.get(name)).toBeLessThan(places.get(job.name) ?? -1);
    const one = wallSeconds(left, times, 1);
    expect(one).toBeCloseTo(
      left.reduce((sum, job) => sum + times.expect(job), 0),
      6,
    );
    const two = wallSeconds(left, times, 2);
    expect(two).toBeGreaterThanOrEqual(one / 2);
    expect(two).toBeLessThan(0.6 * one);
  });

  it('are expected to take as long as jobs of their kind took', async () => {
    const pieces = new Map<string, unknown>();
    const folder = {
      readPiece: <T>(name: string) => pieces.get(name) as T | undefined,
      writePiece: async (name: string, value: unknown) => void pieces.set(name, structuredClone(value)),
    };
    const times = jobTimes(folder);
    const data = { key: 'mnist', dataset: 'mnist', preprocess: 'standardise' } as const;
    expect(times.expect({ kind: 'score', data, seconds: 10 })).toBe(10);
    await times.measured({ kind: 'score', data, seconds: 10 }, 30);
    await times.measured({ kind: 'full', data, seconds: 10 }, 10);
    const again = jobTimes(folder);
    expect(again.expect({ kind: 'score', data, seconds: 2 })).toBeCloseTo(6, 12);
    expect(again.expect({ kind: 'learn psvi', data, seconds: 2 })).toBeCloseTo(4, 12);
  });

  it('that changed are told with both values, where a setting concerns them', async () => {
    const pieces = new Map<string, unknown>();
    const folder = {
      readPiece: <T>(name: string) => pieces.get(name) as T | undefined,
      writePiece: async (name: string, value: unknown) => void pieces.set(name, structuredClone(value)),
    };
    const cells = (values: object) => tableCells(parseTableConfig(values)).possible;
    expect(changedCells(folder, cells(base))).toEqual([]);
    await keepSettings(folder, cells(base));
    expect(changedCells(folder, cells({ ...base, seeds: 9, title: 'another' }))).toEqual([]);
    const [line, ...more] = changedCells(folder, cells({ ...base, overrides: [{ methods: ['psvi'], ipc: [1], settings: { steps: 12 } }] }));
    expect(line).toMatch(/^steps was \d+, now 12: .*: mnist\/1\/psvi, cifar10\/1\/psvi$/);
    expect(more).toEqual([]);
    const ceiling = changedCells(folder, cells({ ...base, settings: { full: { epochs: 77 } } }));
    expect(ceiling.join('\n')).toMatch(/full\.epochs was \d+, now 77: .*mnist\/1\/full/);
    expect(ceiling.join('\n')).not.toMatch(/random|bpc-cd/);
  });
});
