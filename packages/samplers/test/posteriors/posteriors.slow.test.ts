import { key } from '@bpc/core';
import { sample, type Target } from '@bpc/samplers';
import {
  checkPosterior,
  comparePosterior,
  type PosteriorCheck,
  type ReferencePosteriorName,
  referencePosteriors,
  referenceQuantities,
} from '@bpc/samplers/testing';
import { afterAll, describe, expect, it } from 'vitest';
import { readData, readReference } from './read.js';
import { withoutJacobian } from './without-jacobian.js';

const names = Object.keys(referencePosteriors) as ReferencePosteriorName[];
const referenceOf = (name: ReferencePosteriorName) => referenceQuantities(readReference(name).summary);
const targetOf = (name: ReferencePosteriorName): Target => referencePosteriors[name](readData(name));
const collect = (target: Target, draws: number, seed = 0) => sample({ ...target, key: key(seed), draws, targetAcceptance: 0.95 }).collect();

const table: string[] = [];

function note(name: string, { draws, comparison, divergent, seconds }: PosteriorCheck): void {
  const { minimumBulkEss, minimumTailEss, maximumRhat, maximum } = comparison;
  const z = [maximum.mean, maximum['standard deviation'], maximum.quantile].map((each) => each.toFixed(2)).join(' ');
  const ess = `${minimumBulkEss.toFixed(0)} ${minimumTailEss.toFixed(0)}`;
  table.push(
    `${name}: ${draws.chains}×${draws.length} draws, least ESS ${ess}, R-hat ${maximumRhat.toFixed(4)}, |z| ${z}, ${divergent} divergent, ${seconds.toFixed(1)} s`,
  );
}

afterAll(() => console.log(table.join('\n')));

describe('NUTS reproduces the reference posteriors', () => {
  it.each(names)('%s', async (name) => {
    const target = targetOf(name);
    const check = await checkPosterior({ reference: referenceOf(name), collect: (draws) => collect(target, draws) });
    note(name, check);
    expect(check.problems).toEqual([]);
  });
});

describe('the same check rejects', () => {
  it('draws of hmm_example-hmm_example with the Jacobian of the transition matrix left out', async () => {
    const name = 'hmm_example-hmm_example';
    const draws = await collect(withoutJacobian(targetOf(name), ['theta1', 'theta2']), 1000);
    const { rejected, minimumBulkEss } = comparePosterior(draws, referenceOf(name));
    expect(minimumBulkEss).toBeGreaterThan(1000);
    expect(rejected.map((each) => each.name)).toContain('theta2[0]');
  });

  it.each<[string, (x: number, mean: number, sd: number) => number]>([
    ['shifted by 0.2 sd', (x, _, sd) => x + 0.2 * sd],
    ['10 % too wide', (x, mean) => mean + 1.1 * (x - mean)],
    ['10 % too narrow', (x, mean) => mean + 0.9 * (x - mean)],
  ])('draws of arK-arK %s', async (_, change) => {
    const reference = referenceOf('arK-arK');
    // A spread that is 10 % off takes more draws to be seen than a shift.
    const draws = await collect(targetOf('arK-arK'), 4000);
    expect(comparePosterior(draws, reference).rejected).toEqual([]);
    const moved = Object.entries(draws.values).map(([name, values]) => {
      const width = values.length / (draws.chains * draws.length);
      const of = (k: number) => reference.find((each) => each.name === (name === 'beta' ? `beta[${k % width}]` : name));
      return [name, values.map((x, k) => change(x, of(k)?.mean ?? Number.NaN, of(k)?.standardDeviation ?? Number.NaN))];
    });
    expect(comparePosterior({ ...draws, values: Object.fromEntries(moved) }, reference).rejected.length).toBeGreaterThan(0);
  });
});
