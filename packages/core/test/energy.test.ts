import type { Energy, Reduction, Runtime } from '@bpc/core';
import {
  ConfigError,
  crossEntropyEnergy,
  focalEnergy,
  gaussianEnergy,
  grad,
  jointEnergy,
  logSumExp,
  multiClassMarginEnergy,
  reduceEnergy,
  ShapeError,
  softmax,
} from '@bpc/core';
import { relativeDeviation } from '@bpc/core/testing';
import type { Tensor } from '@tensorflow/tfjs-core';
import { cast, oneHot, setBackend, tensor1d, tensor2d } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadFixture } from '../../../tooling/fixtures/load.js';
import { testBackend } from './support/backend.js';
import { runtimes } from './support/runtimes.js';

const fixture = loadFixture<{ classes: number; focalGamma: number; margin: number; marginPower: 1 | 2; gaussianPrecision: number }>(
  'energies',
);
const settings = fixture.cases['all'] as NonNullable<(typeof fixture.cases)[string]>;

beforeAll(async () => {
  await setBackend(testBackend);
});

const energies: [string, Energy, 'labels' | 'soft_labels' | 'targets'][] = [
  ['ce', crossEntropyEnergy(), 'labels'],
  ['focal', focalEnergy({ gamma: settings.focalGamma }), 'labels'],
  ['margin', multiClassMarginEnergy({ margin: settings.margin, power: settings.marginPower }), 'labels'],
  ['soft_ce', crossEntropyEnergy(), 'soft_labels'],
  ['joint', jointEnergy(), 'labels'],
  ['gaussian', gaussianEnergy({ precision: settings.gaussianPrecision }), 'targets'],
];
const reductions: [string, Reduction][] = [
  ['sum', 'sum'],
  ['mean', 'mean'],
  ['weighted_mean', 'weightedMean'],
];

describe.each(runtimes)('energies on %s', (_, makeRuntime: () => Runtime | Promise<Runtime>) => {
  it.each(energies)('match the reference, all reductions and gradients: %s', async (name, energy, targetName) => {
    const runtime = await makeRuntime();
    const target =
      targetName === 'labels' ? cast(oneHot(fixture.tensor('labels') as never, settings.classes), 'float32') : fixture.tensor(targetName);
    const program = runtime.compile((z: Tensor, t: Tensor, w: Tensor) => ({
      perExample: energy(z, t),
      reduced: Object.fromEntries(
        reductions.map(([key, reduction]) => {
          const reduced = (a: Tensor, b: Tensor, c: Tensor) => reduceEnergy(energy(a, b), c, reduction);
          return [
            key,
            {
              value: reduced(z, t, w),
              grad_logits: grad((a: Tensor) => reduced(a, t, w))(z),
              grad_targets: grad((b: Tensor) => reduced(z, b, w))(t),
              grad_weights: grad((c: Tensor) => reduced(z, t, c))(w),
            },
          ];
        }),
      ),
    }));
    const found = await program(fixture.tensor('logits'), target, fixture.tensor('weights'));
    fixture.expectClose(`${name}/per_example`, found.perExample);
    let compared = 0;
    for (const [key] of reductions) {
      for (const tensorName of fixture.names(`${name}/${key}/`)) {
        fixture.expectClose(tensorName, (found.reduced[key] as Record<string, Tensor>)[tensorName.split('/')[2] ?? ''] as Tensor);
        compared++;
      }
    }
    expect(compared).toBeGreaterThanOrEqual(9);
    await runtime.dispose();
  });
});

describe('identities', () => {
  const z = tensor2d([
    [1, -2, 0.5],
    [30, -40, 3],
  ]);
  const y = tensor2d([
    [0, 1, 0],
    [1, 0, 0],
  ]);

  it('cross-entropy minus log-sum-exp is minus the logit of the class', () => {
    const difference = Array.from(crossEntropyEnergy()(z, y).dataSync(), (value, i) => value - (logSumExp(z).dataSync()[i] ?? 0));
    expect(relativeDeviation(difference, [2, -30])).toBeLessThan(1e-6);
    expect(relativeDeviation(jointEnergy()(z, y), [2, -30])).toBeLessThan(1e-6);
  });

  it('focal energy at gamma 0 is cross-entropy', () => {
    expect(relativeDeviation(focalEnergy({ gamma: 0 })(z, y), crossEntropyEnergy()(z, y))).toBeLessThan(1e-6);
  });

  it('targets as logits are targets as their softmax', () => {
    const logits = tensor2d([
      [0.3, 0, -1],
      [2, 1, 0],
    ]);
    for (const make of [crossEntropyEnergy, focalEnergy, multiClassMarginEnergy, jointEnergy]) {
      expect(relativeDeviation(make({ targets: 'logits' })(z, logits), make()(z, softmax(logits)))).toBeLessThan(1e-6);
    }
  });

  it('the margin energy of soft labels is the expectation over hard ones', () => {
    const energy = multiClassMarginEnergy();
    const row = tensor2d([[1, -2, 0.5]]);
    const hard = [0, 1, 2].map((c) => energy(row, cast(oneHot(tensor1d([c], 'int32'), 3), 'float32')).dataSync()[0] ?? 0);
    const soft = energy(row, tensor2d([[0.2, 0.5, 0.3]])).dataSync()[0];
    expect(soft).toBeCloseTo(0.2 * (hard[0] ?? 0) + 0.5 * (hard[1] ?? 0) + 0.3 * (hard[2] ?? 0), 5);
  });

  it('focal gradients stay finite where the prediction is certain', () => {
    const certain = tensor2d([[200, 0, -200]]);
    const g = grad((a: Tensor) => reduceEnergy(focalEnergy()(a, tensor2d([[1, 0, 0]])), undefined, 'sum'))(certain);
    expect(Array.from(g.dataSync()).every(Number.isFinite)).toBe(true);
  });
});

describe('bad input', () => {
  it('is refused by name', () => {
    expect(() => focalEnergy({ gamma: -1 })).toThrow(/gamma is -1/);
    expect(() => gaussianEnergy({ precision: 0 })).toThrow(ConfigError);
    expect(() => multiClassMarginEnergy({ margin: Number.NaN })).toThrow(/margin/);
    expect(() => multiClassMarginEnergy({ power: 3 as never })).toThrow(/power/);
    expect(() => crossEntropyEnergy({ targets: 'onehot' as never })).toThrow(/targets is 'onehot'/);
    expect(() => crossEntropyEnergy()(tensor2d([[1, 2]]), tensor1d([1]))).toThrow(ShapeError);
    expect(() => reduceEnergy(tensor1d([1]), undefined, 'max' as never)).toThrow(/reduction is 'max'/);
  });
});
