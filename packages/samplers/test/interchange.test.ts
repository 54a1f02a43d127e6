import { fromJson, fromSafetensors, toCmdStanCsv, toJson, toSafetensors } from '@bpc/samplers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { testDraws } from './draws-helpers.js';

/** Bits, so that −0 and NaN count. */
const bits = (values: Float64Array) => [...new BigUint64Array(values.slice().buffer)];

function expectSame(found: ReturnType<typeof fromJson>, expected: ReturnType<typeof fromJson>): void {
  expect({ ...found, values: 0, statistics: 0, unconstrained: 0, warmup: 0 }).toEqual({
    ...expected,
    values: 0,
    statistics: 0,
    unconstrained: 0,
    warmup: 0,
  });
  for (const group of ['values', 'statistics'] as const) {
    expect(Object.keys(found[group])).toEqual(Object.keys(expected[group]));
    for (const [name, values] of Object.entries(expected[group])) expect(bits(found[group][name]!), name).toEqual(bits(values));
  }
  expect(bits(found.unconstrained)).toEqual(bits(expected.unconstrained));
  expect(found.warmup === undefined).toBe(expected.warmup === undefined);
  if (found.warmup && expected.warmup) expectSame(found.warmup, expected.warmup);
}

const warmup = testDraws(2, 2, 3);
const draws = testDraws(1, 2, 5, { warmup });

describe.each([
  ['JSON', (of: typeof draws) => fromJson(toJson(of))],
  ['safetensors', (of: typeof draws) => fromSafetensors(toSafetensors(of))],
] as const)('draws written as %s and read back', (_, roundTrip) => {
  it('have the same bits, names, shapes, warm-up and provenance', () => {
    expectSame(roundTrip(draws), draws);
    expectSame(roundTrip({ ...draws, interrupted: true, provenance: { algorithm: 'ula', settings: { a: [1, null, 'ü"\n'] } } }), {
      ...draws,
      interrupted: true,
      provenance: { algorithm: 'ula', settings: { a: [1, null, 'ü"\n'] } },
    });
  });

  it('have the same bits whatever the numbers', () => {
    fc.assert(
      fc.property(fc.array(fc.double(), { minLength: 4, maxLength: 4 }), (numbers) => {
        const odd = {
          ...testDraws(3, 2, 2),
          variables: [{ name: '__proto x/ü', shape: [], kind: 'parameter' as const }],
          values: { '__proto x/ü': Float64Array.from(numbers) },
        };
        expectSame(roundTrip(odd), odd);
      }),
      { numRuns: 50 },
    );
  });

  it('keep minus zero, the smallest number and what is not finite', () => {
    const numbers = [-0, 5e-324, Number.MAX_VALUE, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    const odd = {
      ...testDraws(4, 2, 3),
      variables: [{ name: 'x', shape: [], kind: 'parameter' as const }],
      values: { x: Float64Array.from(numbers) },
    };
    expectSame(roundTrip(odd), odd);
  });

  it('may be none', () => {
    const none = testDraws(5, 2, 0);
    expectSame(roundTrip(none), none);
  });
});

describe('files that hold no draws', () => {
  const text = toJson(draws);
  const bytes = toSafetensors(draws);

  it.each([
    ['not JSON', '{'],
    ['another format', '{"format":"x"}'],
    ['a later version', text.replace('"version":1', '"version":2')],
    ['a missing variable', text.replace('"mu":[[', '"nu":[[')],
    ['a ragged list', text.replace('"mu":[[', '"mu":[[0,')],
    ['a word for a number', text.replace(/"mu":\[\[[^,]*/, '"mu":[["x"')],
    ['an empty word for a number', text.replace(/"mu":\[\[[^,]*/, '"mu":[[""')],
    ['a wrong shape', text.replace('"name":"mu","shape":[]', '"name":"mu","shape":[2]')],
    ['no provenance', text.replace('"provenance":', '"provenence":')],
  ])('%s is refused with a typed error', (_, damaged) => {
    expect(damaged).not.toBe(text);
    expect(() => fromJson(damaged)).toThrow(expect.objectContaining({ code: 'CHECKPOINT' }));
  });

  it('truncated safetensors and those of others are refused', () => {
    expect(() => fromSafetensors(bytes.subarray(0, bytes.length - 8))).toThrow(expect.objectContaining({ code: 'CHECKPOINT' }));
    const other = Buffer.from(bytes);
    other.set(Buffer.from('bpc-dough'), Buffer.from(bytes).indexOf('bpc-draws'));
    expect(() => fromSafetensors(other)).toThrow(/format 'bpc-dough'/);
  });
});

/** What a reader of CmdStan's files does: comments apart, a line of names, rows of numbers. */
function parseCsv(text: string) {
  const lines = text.split('\n').filter((line) => line !== '');
  const comments = lines.filter((line) => line.startsWith('#'));
  const [names = '', ...rows] = lines.filter((line) => !line.startsWith('#'));
  return { comments, names: names.split(','), rows: rows.map((row) => row.split(',').map(Number)) };
}

describe('CmdStan files', () => {
  const files = toCmdStanCsv(draws).map(parseCsv);

  it('have one text per chain, statistics first, matrices in column-major order with indices from 1', () => {
    expect(files.length).toBe(2);
    expect(files[0]?.names).toEqual([
      ...['lp__', 'accept_stat__', 'stepsize__', 'treedepth__', 'n_leapfrog__', 'divergent__', 'energy__'],
      ...['mu', 'group_tau.1', 'group_tau.2', 'group_tau.3'],
      ...['covariance.1.1', 'covariance.2.1', 'covariance.1.2', 'covariance.2.2', 'covariance.1.3', 'covariance.2.3'],
    ]);
  });

  it('have the warm-up first, then the draws, each number exactly', () => {
    const [c, n] = [1, 4];
    const { names, rows } = files[c]!;
    expect(rows.length).toBe(3 + 5);
    const row = rows[3 + n]!;
    const at = (name: string) => row[names.indexOf(name)];
    expect(at('lp__')).toBe(draws.statistics['logDensity']![c * 5 + n]);
    expect(at('group_tau.2')).toBe(draws.values['group/tau']![(c * 5 + n) * 3 + 1]);
    expect(at('covariance.2.1')).toBe(draws.values['covariance']![(c * 5 + n) * 6 + 3]);
    expect(rows[2]![names.indexOf('mu')]).toBe(warmup.values['mu']![c * 3 + 2]);
  });

  it('say in comments what CmdStan says: sizes, warm-up, thinning, step size and metric', () => {
    expect(files[1]?.comments).toEqual(
      expect.arrayContaining(['#     num_samples = 5', '#     num_warmup = 3', '#     save_warmup = 1', '# id = 2', '# Step size = 0.25']),
    );
    const provenance = {
      algorithm: 'nuts',
      settings: { thin: 10, warmup: 300, metric: 'diagonal', maxDepth: 8, targetAcceptance: 0.9 },
      chains: [{ stepSize: 0.5, metric: { kind: 'diagonal', inverseMass: [0.5, 2] }, seconds: { warmup: 1.25, sampling: 2 } }],
    };
    const thinned = toCmdStanCsv(testDraws(6, 1, 2, { provenance })).map(parseCsv)[0];
    expect(thinned?.comments).toEqual(
      expect.arrayContaining([
        '#     num_samples = 20',
        '#     num_warmup = 300',
        '#     save_warmup = 0',
        '#     thin = 10',
        '#       delta = 0.9',
        '#             max_depth = 8',
        '#         metric = diag_e',
        '# Step size = 0.5',
        '# Diagonal elements of inverse mass matrix:',
        '# 0.5, 2',
        '#  Elapsed Time: 1.250 seconds (Warm-up)',
        '#                3.250 seconds (Total)',
      ]),
    );
  });

  it('write a dense metric row by row', () => {
    const provenance = { chains: [{ metric: { kind: 'dense', inverseMass: [1, 0.5, 0.5, 3] } }] };
    const [text = ''] = toCmdStanCsv(testDraws(9, 1, 2, { provenance }));
    expect(text).toContain('# Elements of inverse mass matrix:\n# 1, 0.5\n# 0.5, 3\n');
  });

  it('leave out what the sampler does not report, and write what is not finite as CmdStan does', () => {
    const plain = testDraws(7, 1, 2, {
      statistics: {},
      variables: [{ name: 'x', shape: [], kind: 'parameter' }],
      values: { x: Float64Array.of(Number.NaN, Number.NEGATIVE_INFINITY) },
    });
    const [text = ''] = toCmdStanCsv(plain);
    expect(text.split('\n').filter((line) => !line.startsWith('#'))).toEqual(['x', 'nan', '-inf', '']);
  });

  it('give different names to what only unusual letters tell apart, and none that looks like a statistic', () => {
    const named = (name: string) => ({ name, shape: [], kind: 'parameter' as const });
    const x = new Float64Array(1);
    const odd = testDraws(8, 1, 1, {
      statistics: {},
      variables: ['a/b', 'a_b', 'c,d__'].map(named),
      values: { 'a/b': x, a_b: x, 'c,d__': x },
    });
    expect(parseCsv(toCmdStanCsv(odd)[0]!).names).toEqual(['a_b', 'a_b_2', 'c_d_']);
  });
});
