import { type Draws, essBulk, essTail, key, mcseMean, real, rhat, sample, summary } from '@bpc/samplers';
import { square } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { autoregressive, testDraws } from './draws-helpers.js';

const kinds = (input: Parameters<typeof summary>[0]) => summary(input).warnings.map(({ kind }) => kind);
const calm = testDraws(21, 4, 500);
const withStatistic = (name: string, of: (i: number) => number, draws: Draws = calm): Draws => ({
  ...draws,
  statistics: { ...draws.statistics, [name]: Float64Array.from({ length: draws.chains * draws.length }, (_, i) => of(i)) },
});

describe('summary of draws', () => {
  it('has a row per scalar with the numbers of the single diagnostics', () => {
    const { rows, chains, length } = summary(calm);
    expect([chains, length]).toEqual([4, 500]);
    expect(rows.map(({ name }) => name)).toEqual([
      ...['mu', 'group/tau[0]', 'group/tau[1]', 'group/tau[2]'],
      ...['covariance[0,0]', 'covariance[0,1]', 'covariance[0,2]', 'covariance[1,0]', 'covariance[1,1]', 'covariance[1,2]'],
    ]);
    const tau = Array.from({ length: 4 }, (_, c) =>
      Float64Array.from({ length: 500 }, (__, n) => calm.values['group/tau']![(c * 500 + n) * 3 + 1]!),
    );
    const pooled = tau.flatMap((chain) => [...chain]);
    const mean = pooled.reduce((a, b) => a + b, 0) / 2000;
    expect(rows[2]).toEqual({
      name: 'group/tau[1]',
      mean: expect.closeTo(mean, 12),
      standardDeviation: expect.closeTo(Math.sqrt(pooled.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 1999), 12),
      quantiles: [expect.any(Number), expect.any(Number), expect.any(Number)],
      mcseMean: mcseMean(tau),
      essBulk: essBulk(tau),
      essTail: essTail(tau),
      rhat: rhat(tau),
    });
  });

  it('takes chains by name, probabilities and a choice of names', () => {
    const x = autoregressive(22, 2, 101, 0);
    const sorted = x.flatMap((chain) => [...chain]).sort((a, b) => a - b);
    const { rows, probabilities } = summary({ x, y: x }, { probabilities: [0.25], names: ['y'] });
    expect(probabilities).toEqual([0.25]);
    // 202 draws: the quantile lies a quarter of the way from the 51st to the 52nd.
    expect(rows.map(({ name, quantiles }) => [name, ...quantiles])).toEqual([
      ['y', expect.closeTo(sorted[50]! + 0.25 * (sorted[51]! - sorted[50]!), 12)],
    ]);
    expect(summary(calm, { names: ['group/tau', 'covariance[1,2]'] }).rows.map(({ name }) => name)).toEqual([
      ...['group/tau[0]', 'group/tau[1]', 'group/tau[2]', 'covariance[1,2]'],
    ]);
    expect(() => summary({ x }, { names: ['z'] })).toThrow(/names has 'z', which was not drawn/);
    expect(() => summary({ x }, { probabilities: [1] })).toThrow(expect.objectContaining({ code: 'CONFIG' }));
    // What plain JavaScript may pass: a run that nobody collected.
    const run = sample({ parameters: real(), logDensity: (u) => square(u), key: key(1) }) as unknown as Draws;
    expect(() => summary(run)).toThrow(/'collect' is no list of chains .*await sample\(…\)\.collect\(\)/);
    expect(() => summary({ x, y: x.slice(1) })).toThrow(expect.objectContaining({ code: 'SHAPE' }));
  });

  it('prints an aligned table whose digits end at the Monte Carlo error', () => {
    const large = autoregressive(23, 4, 500, 0).map((chain) => chain.map((x) => 5000 + 300 * x));
    const small = autoregressive(24, 4, 500, 0).map((chain) => chain.map((x) => 1e-3 * x));
    const lines = String(summary({ large, 'a longer name': small })).split('\n');
    expect(lines[0]).toBe('4 chains of 500 draws');
    expect(lines[2]).toMatch(/^ +mean +sd +5% +50% +95% +MCSE +ESS-bulk +ESS-tail +R-hat$/);
    // Errors of 300/√2000 ≈ 7 and 0.001/√2000 ≈ 0.00002.
    expect(lines[3]).toMatch(/^large +\d{4} +\d{3} +\d{4} +\d{4} +\d{4} +\d\.\d +\d{4} +\d{4} +\d\.\d{3}$/);
    expect(lines[4]).toMatch(/^a longer name +-?0\.\d{5} +0\.\d{5} +-0\.\d{5} +-?0\.\d{5} +0\.\d{5} +0\.\d{6} +\d{4} +\d{4} +\d\.\d{3}$/);
    expect(new Set(lines.slice(2, 5).map((line) => line.length)).size).toBe(1);
    expect(lines.length).toBe(5);
  });

  it('prints numbers of any size without a page of zeros', () => {
    const unit = (scale: number) => autoregressive(25, 4, 500, 0).map((chain) => chain.map((x) => scale * (x + 3)));
    const text = String(summary({ huge: unit(1e40), tiny: unit(1e-40) }));
    expect(text).toMatch(/huge +\d\.\d+e\+40/);
    expect(text).toMatch(/tiny +\d\.\d+e-40/);
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThan(120);
  });

  it('survives JSON', () => {
    const parsed = JSON.parse(JSON.stringify(summary(calm)));
    expect(parsed).toEqual({ chains: 4, length: 500, probabilities: [0.05, 0.5, 0.95], rows: summary(calm).rows, warnings: [] });
  });
});

describe('warnings of a summary', () => {
  it('are none for good draws', () => {
    expect(summary(calm).warnings).toEqual([]);
    expect(String(summary(calm))).not.toContain('Warning');
  });

  it('name chains that do not agree, worst first', () => {
    const shifted = (by: number) => autoregressive(26, 4, 500, 0).map((chain, c) => chain.map((x) => x + (c === 0 ? by : 0)));
    const { warnings } = summary({ fine: shifted(0), off: shifted(0.7), far: shifted(5) });
    const [first] = warnings;
    expect(first).toMatchObject({ kind: 'R-hat', quantities: ['far', 'off'] });
    expect(first!.message).toMatch(/^R-hat is above 1\.01 for far, off \(largest \d\.\d{3}\)/);
    expect(first!.remedy).toContain('run longer');
  });

  it('ask for 100 effective draws per chain', () => {
    const { warnings } = summary({ slow: autoregressive(27, 4, 500, 0.97) });
    expect(warnings.find(({ kind }) => kind === 'effective sample size')?.message).toMatch(
      /below 400 \(100 per chain\) for slow \(smallest \d+\)/,
    );
    expect(kinds({ short: autoregressive(28, 4, 90, 0) })).toContain('effective sample size');
  });

  it('say how many transitions diverged and where', () => {
    const tau = calm.values['group/tau']!;
    const { warnings } = summary(withStatistic('divergent', (i) => (tau[3 * i + 2]! < -1.5 ? 1 : 0)));
    expect(warnings.map(({ kind }) => kind)).toEqual(['divergences']);
    expect(warnings[0]!.message).toMatch(
      /^\d+ of 2000 draws \(\d\.\d %\) came from divergent transitions, mostly where group\/tau\[2\] is small \(median -[12]\.\d+, elsewhere -?0\.\d+\)/,
    );
    expect(warnings[0]!.remedy).toMatch(/targetAcceptance.*reparametrise/);
    // Without a pattern, or from one divergence, no quantity is blamed.
    expect(summary(withStatistic('divergent', (i) => (i === 7 ? 1 : 0))).warnings[0]!.message).toMatch(/^1 of 2000 .* transitions: parts/);
    expect(summary(withStatistic('divergent', (i) => (i % 10 === 0 ? 1 : 0))).warnings[0]!.message).not.toContain('mostly');
  });

  it('count trajectories cut at the largest depth', () => {
    const [warning] = summary(withStatistic('maxDepthReached', (i) => (i % 20 === 0 ? 1 : 0))).warnings;
    expect(warning).toMatchObject({ kind: 'tree depth', remedy: expect.stringContaining('maxDepth') });
    expect(warning!.message).toMatch(/^100 of 2000 draws \(5\.0 %\)/);
  });

  it('name chains whose energy moves slowly', () => {
    const slow = autoregressive(29, 1, 500, 0.98)[0]!;
    const [warning] = summary(
      withStatistic('energy', (i) => (i >= 500 && i < 1000 ? slow[i - 500]! : calm.statistics['energy']![i]!)),
    ).warnings;
    expect(warning?.message).toMatch(/^E-BFMI is below 0\.3 in chain 1 \(0\.0\d+\)/);
  });

  it('tell of interrupted runs, quantities that never change, numbers that are not finite and too few draws', () => {
    expect(kinds({ ...calm, interrupted: true })).toEqual(['interrupted']);
    const fixed = autoregressive(30, 2, 300, 0).map((chain) => chain.fill(4));
    const broken = autoregressive(31, 2, 300, 0).map((chain) => chain.map((x, n) => (n === 9 ? Number.NaN : x)));
    const odd = summary({ fixed, broken });
    expect(odd.warnings.map(({ kind, quantities }) => [kind, quantities])).toEqual([
      ['not finite', ['broken']],
      ['constant', ['fixed']],
    ]);
    expect(odd.rows[0]).toMatchObject({ mean: 4, standardDeviation: 0, quantiles: [4, 4, 4], flaw: 'constant' });
    expect(String(odd)).toMatch(/fixed +4\.\d+ +0\.\d+ .* - +- +- +-\n/);
    expect(kinds(testDraws(32, 2, 3))).toEqual(['too few draws']);
    expect(kinds(testDraws(32, 2, 0))).toEqual(['too few draws']);
  });
});
