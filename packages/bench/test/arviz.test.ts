import type { Draws } from '@bpc/samplers';
import { describe, expect, it } from 'vitest';
import { type ArvizCase, differences, misread } from '../src/bench-support/arviz/compare.js';
import { arvizRatios, arvizRows } from '../src/benches/arviz.js';

const [chains, length] = [2, 40];
const spread = (seed: number, count: number) => Float64Array.from({ length: count }, (_, i) => Math.sin(seed + (i + 1) ** 2));
const draws: Draws = {
  chains,
  length,
  variables: [
    { name: 'a/b', shape: [], kind: 'parameter' },
    { name: 'm', shape: [2, 2], kind: 'derived' },
  ],
  values: { 'a/b': spread(1, 80), m: spread(2, 320) },
  statistics: Object.fromEntries(
    ['logDensity', 'acceptance', 'stepSize', 'depth', 'leapfrogSteps', 'divergent', 'energy'].map((name, i) => [name, spread(i, 80)]),
  ),
  unconstrained: spread(3, 80),
  interrupted: false,
  provenance: {},
};

/** What a reader answers that misses nothing and computes nothing. */
const read: ArvizCase = {
  variables: {
    a_b: { shape: [2, 40], values: [...draws.values['a/b']!] },
    m: { shape: [2, 40, 2, 2], values: [...draws.values['m']!] },
  },
  json: { 'a/b': [2, 40], m: [2, 40, 2, 2] },
  jsonEnergy: [],
  statistics: Object.fromEntries(
    Object.entries({
      lp: 'logDensity',
      acceptance_rate: 'acceptance',
      step_size: 'stepSize',
      tree_depth: 'depth',
      n_steps: 'leapfrogSteps',
      diverging: 'divergent',
      energy: 'energy',
    }).map(([theirs, own]) => [theirs, [...draws.statistics[own]!]]),
  ),
  bfmi: [],
  warmup: {},
  warmupMeans: {},
  loo: null,
  summarySeconds: 1,
};

describe('comparison with ArviZ', () => {
  it('finds what is read otherwise: a permuted matrix, a lost variable, a statistic', () => {
    expect(misread(draws, read)).toEqual([]);
    const [first = 0, second = 0, ...rest] = draws.values['m']!;
    const permuted = { ...read, variables: { ...read.variables, m: { shape: [2, 40, 2, 2], values: [second, first, ...rest] } } };
    expect(misread(draws, permuted)).toEqual(['m: numbers']);
    const { m, ...others } = read.variables;
    expect(m).toBeDefined();
    expect(misread(draws, { ...read, variables: others })).toEqual(['m: shape undefined', 'm: numbers', 'names: a_b']);
    expect(misread(draws, { ...read, statistics: { ...read.statistics, energy: [] } })).toEqual(['energy: numbers']);
  });

  it('takes a diagnostic that is missing for an infinite difference, not for none', () => {
    for (const { largest, statistic } of differences(draws, read)) expect(largest, statistic).toBe(Number.POSITIVE_INFINITY);
  });

  it('gives absent rows and no ratios without Python', async () => {
    const { rows, version } = await arvizRows({ some: draws }, '/nonexistent/python', new AbortController().signal);
    expect(version).toBeUndefined();
    expect(rows).toEqual([
      { case: 'some', subject: 'arviz', unit: 'relative error', absent: true, reason: expect.stringContaining('ENOENT') },
    ]);
    expect(arvizRatios(rows)).toEqual([]);
  });

  it('holds the largest difference of all cases against the goal', () => {
    const row = (name: string, subject: string, max: number) => ({ case: name, subject, unit: 'relative error' as const, max });
    expect(arvizRatios([row('x', 'rhat', 1e-12), row('y', 'rhat', 1e-6)])).toEqual([
      { name: 'rhat, largest relative difference', value: 1e-6, goal: 1e-8 },
    ]);
  });
});
