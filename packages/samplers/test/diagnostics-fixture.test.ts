import { describe, expect, it } from 'vitest';
import { loadFixture } from '../../../tooling/fixtures/load.js';
import { essBulk, essMean, essQuantile, essSd, essTail } from '../src/diagnostics/ess.js';
import { mcseMean, mcseQuantile, mcseSd } from '../src/diagnostics/mcse.js';
import { rhat } from '../src/diagnostics/rhat.js';

interface ChainsCase {
  readonly order: readonly string[];
  readonly probabilities: readonly number[];
}

const fixture = loadFixture<ChainsCase>('diagnostics');
const { order, probabilities } = fixture.cases['chains']!;

function chainsOf(name: string): Float64Array[] {
  const [chains = 0, length = 0] = fixture.entries[`chains/${name}`]!.shape;
  const values = fixture.values(`chains/${name}`);
  return Array.from({ length: chains }, (_, c) => Float64Array.from(values.slice(c * length, (c + 1) * length)));
}

const scalars: Readonly<Record<string, (chains: readonly Float64Array[]) => number>> = {
  rhat,
  ess_bulk: essBulk,
  ess_tail: essTail,
  ess_mean: essMean,
  ess_sd: essSd,
  ess_median: (chains) => essQuantile(chains, 0.5),
  mcse_mean: mcseMean,
  mcse_sd: mcseSd,
};

// The fixture allows 6 % where libraries stop at different last lags; these stop where ArviZ does, so that 1e-8 holds everywhere.
describe.each(order.map((name, i) => [name, i] as const))('chains %s', (name, i) => {
  const chains = chainsOf(name);

  it.each(Object.entries(scalars))('%s is the reference to 1e-8', (quantity, of) => {
    const expected = fixture.values(quantity)[i]!;
    expect(Math.abs(of(chains) - expected)).toBeLessThanOrEqual(1e-8 * expected);
  });

  it.each(probabilities.map((p, k) => [p, k] as const))('the error of the %d quantile is the reference to 1e-8', (p, k) => {
    const expected = fixture.values('mcse_quantile')[i * probabilities.length + k]!;
    expect(Math.abs(mcseQuantile(chains, p) - expected)).toBeLessThanOrEqual(1e-8 * expected);
  });
});
