import { readFileSync } from 'node:fs';
import { ConfigError } from '@bpc/core';
import type { Series } from '@bpc/samplers';
import { comparePosterior, type ReferenceQuantity, referenceQuantities } from '@bpc/samplers/testing';
import type { SmallModelName } from '../small-models/models.js';

/** What is reported of a model: the quantities that its reference has, with indices from 0, as functions of the unconstrained position. */
export interface Reported {
  readonly names: readonly string[];
  /** Writes the quantities at `position` to `out`. */
  report(position: Float64Array, out: Float64Array): void;
  /** Its folder in posteriordb; models without one have a reference that is computed. */
  readonly folder?: string;
}

const numbered = (name: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${name}[${i}]`);

/** Coefficients as they are, and σ = exp(last). */
function scaleLast(position: Float64Array, out: Float64Array): void {
  out.set(position);
  const last = position.length - 1;
  out[last] = Math.exp(position[last] ?? Number.NaN);
}

/** The quantities of each model. */
export const reportedOf: Readonly<Record<SmallModelName, Reported>> = {
  logistic: { names: numbered('q', 10), report: (position, out) => out.set(position) },
  'eight-schools': {
    names: [...numbered('theta', 8), 'mu', 'tau'],
    report([mu = Number.NaN, logTau = Number.NaN, ...z], out) {
      const tau = Math.exp(logTau);
      out.set([...z.map((each) => mu + tau * each), mu, tau]);
    },
    folder: 'eight_schools-eight_schools_noncentered',
  },
  arK: { names: ['alpha', ...numbered('beta', 5), 'sigma'], report: scaleLast, folder: 'arK-arK' },
  kidiq: { names: [...numbered('beta', 4), 'sigma'], report: scaleLast, folder: 'kidiq-kidscore_interaction' },
};

/** Chains of each reported quantity, from positions `[chains, draws, size]`. */
export function reportedSeries({ names, report }: Reported, positions: Float64Array, chains: number): Series[] {
  const size = names.length;
  const draws = positions.length / (chains * size);
  if (!Number.isInteger(draws)) throw new Error(`${positions.length} numbers are not draws of ${chains} chains of ${size} parameters`);
  const series = names.map((name) => ({ name, chains: Array.from({ length: chains }, () => new Float64Array(draws)) }));
  const out = new Float64Array(size);
  for (let c = 0; c < chains; c++) {
    for (let n = 0; n < draws; n++) {
      const begin = (c * draws + n) * size;
      report(positions.subarray(begin, begin + size), out);
      series.forEach((each, k) => {
        const chain = each.chains[c];
        if (chain !== undefined) chain[n] = out[k] ?? Number.NaN;
      });
    }
  }
  return series;
}

/** The same quantities of several runs: their chains side by side. */
export function poolSeries(runs: readonly (readonly Series[])[]): Series[] {
  return (runs[0] ?? []).map(({ name }, k) => ({ name, chains: runs.flatMap((run) => run[k]?.chains ?? []) }));
}

/** Largest |z| by kind that draws may have: with thousands of comparisons, false alarms become rare there. */
const limits = { mean: 4.5, 'standard deviation': 6, quantile: 4.5 } as const;

/** How far draws are from a reference. */
export interface PosteriorDifference {
  /** The largest |z| over its limit: above 1, the draws are of something else. */
  readonly overLimit: number;
  /** Where it is, for people: `mean of tau, z = 5.1`. */
  readonly worst: string;
  readonly maximumRhat: number;
}

/** Compares means, standard deviations and quantiles of draws with a reference, in combined Monte Carlo errors. */
export function posteriorDifference(all: readonly Series[], reference: readonly ReferenceQuantity[]): PosteriorDifference {
  const chains = Object.fromEntries(all.map((each) => [each.name, each.chains]));
  const { statistics, maximumRhat } = comparePosterior(chains, reference, limits);
  const share = ({ kind, z }: (typeof statistics)[number]) => Math.abs(z) / limits[kind];
  const [worst] = [...statistics].sort((a, b) => share(b) - share(a));
  if (worst === undefined) throw new Error('the reference is empty');
  const { kind, probability, name, z } = worst;
  const what = probability === undefined ? kind : `${100 * probability} % quantile`;
  return { overLimit: share(worst), worst: `${what} of ${name}, z = ${z.toFixed(1)}`, maximumRhat };
}

/** Reads posteriordb's reference. @throws ConfigError outside of the repository. */
export function storedReference(folder: string): ReferenceQuantity[] {
  const file = new URL(`../../../../../tooling/fixtures/posteriordb/${folder}/reference.json`, import.meta.url);
  try {
    return referenceQuantities((JSON.parse(readFileSync(file, 'utf8')) as { readonly summary: unknown }).summary);
  } catch (cause) {
    throw new ConfigError(`the reference of ${folder} is not here`, 'run this bench in a clone of the repository', { cause });
  }
}
