import '@tensorflow/tfjs-backend-cpu';
import { jsRuntime } from '@bpc/compiler';
import type { Energy, HostTensor, HostTree, Reduction } from '@bpc/core';
import {
  crossEntropyEnergy,
  focalEnergy,
  gaussianEnergy,
  hostArray,
  hostEntries,
  jointEnergy,
  multiClassMarginEnergy,
  reduceEnergy,
} from '@bpc/core';
import { type ConvNetParams, convNet } from '@bpc/models';
import type { Scalar, Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import { add, matMul, mul, neg, reshape, setBackend, softplus, square, sub, sum } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { type ConvNetSpec, type Fixture, loadFixture } from '../../../tooling/fixtures/load.js';

beforeAll(async () => {
  await setBackend('cpu');
});

/** A stored tensor on the host, in float64 if the file has it. */
const host = (fixture: Fixture<never>, name: string): HostTensor => ({
  data: Float64Array.from(fixture.values(name)),
  shape: fixture.entries[name]?.shape ?? [],
});

/** Everything below `prefix/` on the host. */
function hostTree(fixture: Fixture<never>, prefix: string): HostTree {
  const tree: Record<string, Record<string, HostTensor>> = {};
  for (const name of fixture.names(`${prefix}/`)) {
    const [layer = '', leaf = ''] = name.slice(prefix.length + 1).split('/');
    tree[layer] = { ...tree[layer], [leaf]: host(fixture, name) };
  }
  return tree;
}

const oneHot = (labels: ArrayLike<number>, classes: number): HostTensor => ({
  data: Float64Array.from({ length: labels.length * classes }, (_, i) => Number(labels[Math.floor(i / classes)] === i % classes)),
  shape: [labels.length, classes],
});

/** max|t − r| ≤ 1e-10·max|r|, or 1e-10 where the exact value is zero; besides what a file that stores float32 has rounded. */
function expectExact(name: string, found: ArrayLike<number>, exact: ArrayLike<number>): void {
  const largest = Math.max(...Array.from(exact, Math.abs));
  const deviation = Math.max(...Array.from(exact, (want, i) => Math.abs((found[i] ?? Number.NaN) - want)));
  const tolerance = 1e-10 + (exact instanceof Float32Array ? 2 ** -24 : 0);
  expect(found.length, name).toBe(exact.length);
  expect(deviation, name).toBeLessThanOrEqual(tolerance * (largest || 1));
}

describe.each(['javascript', 'wasm', 'interpreter'] as const)('densities by %s agree with float64 references to 1e-10', (printer) => {
  /** Value, and gradients by the paths of `like`. */
  async function evaluate<P extends Readonly<Record<string, unknown>>>(
    logDensity: (params: P, data: never) => Scalar,
    like: HostTree,
    data: HostTree,
  ): Promise<{ value: number; gradients: ReadonlyMap<string, Float64Array> }> {
    const runtime = jsRuntime({ printer });
    const density = await runtime.density(logDensity as never, like, data);
    const gradient = new Float64Array(density.size);
    const value = Number(density.evaluate(density.flatten(like), gradient));
    const gradients = hostEntries(density.unflatten(gradient)).map(
      ([path, leaf]) => [path, Float64Array.from(hostArray(leaf).data)] as const,
    );
    await runtime.dispose();
    return { value, gradients: new Map(gradients) };
  }

  const samplers = loadFixture<never>('samplers');
  const { priorPrecision } = loadFixture<{ readonly priorPrecision: number }>('samplers').cases['blr'] as {
    readonly priorPrecision: number;
  };
  it.each([
    [
      'gaussian',
      ['precision', 'mean'],
      ({ theta }: never, { precision, mean }: never) => mul(-0.5, sum(mul(precision, square(sub(theta, mean))))),
    ],
    [
      'blr',
      ['data', 'labels'],
      ({ theta }: { theta: Tensor }, { data, labels }: { data: Tensor; labels: Tensor }) =>
        neg(
          add(
            sum(softplus(neg(mul(labels, reshape(matMul(data as never, reshape(theta, [4, 1])), [60]))))),
            mul(0.5 * priorPrecision, sum(square(theta))),
          ),
        ),
    ],
  ] as const)('of the samplers: %s', async (name, data, logDensity) => {
    const { value, gradients } = await evaluate(
      logDensity as never,
      { theta: host(samplers, `${name}/initial`) },
      Object.fromEntries(data.map((part) => [part, host(samplers, `${name}/${part}`)])),
    );
    expectExact('energy', [-value], samplers.values(`${name}/initial_energy`));
    expectExact(
      'gradient',
      (gradients.get('theta') ?? []).map((g) => -g),
      samplers.values(`${name}/initial_gradient`),
    );
  });

  const energies = loadFixture<{ classes: number; focalGamma: number; margin: number; marginPower: 1 | 2; gaussianPrecision: number }>(
    'energies',
  );
  const settings = energies.cases['all'] as NonNullable<(typeof energies.cases)[string]>;
  const stored = energies as Fixture<never>;
  const kinds: readonly (readonly [string, Energy, HostTensor])[] = [
    ['ce', crossEntropyEnergy(), oneHot(energies.values('labels'), settings.classes)],
    ['focal', focalEnergy({ gamma: settings.focalGamma }), oneHot(energies.values('labels'), settings.classes)],
    [
      'margin',
      multiClassMarginEnergy({ margin: settings.margin, power: settings.marginPower }),
      oneHot(energies.values('labels'), settings.classes),
    ],
    ['soft_ce', crossEntropyEnergy(), host(stored, 'soft_labels')],
    ['joint', jointEnergy(), oneHot(energies.values('labels'), settings.classes)],
    ['gaussian', gaussianEnergy({ precision: settings.gaussianPrecision }), host(stored, 'targets')],
  ];
  it.each(kinds)('of the energies, under every reduction: %s', async (name, energy, targets) => {
    type Parts = { readonly logits: Tensor; readonly targets: Tensor; readonly weights: Tensor1D };
    let compared = 0;
    for (const [key, reduction] of [
      ['sum', 'sum'],
      ['mean', 'mean'],
      ['weighted_mean', 'weightedMean'],
    ] as const satisfies readonly (readonly [string, Reduction])[]) {
      const logDensity = (p: Parts) => neg(reduceEnergy(energy(p.logits, p.targets), p.weights, reduction)) as Scalar;
      const like = { logits: host(stored, 'logits'), targets, weights: host(stored, 'weights') };
      const { value, gradients } = await evaluate(logDensity, like, {});
      for (const entry of energies.names(`${name}/${key}/`)) {
        const part = entry.split('/')[2] ?? '';
        const found = part === 'value' ? [value] : (gradients.get(part.replace('grad_', '')) ?? []);
        expectExact(
          entry,
          Array.from(found, (number) => -number),
          energies.values(entry),
        );
        compared++;
      }
    }
    expect(compared).toBeGreaterThanOrEqual(9);
  });

  const networks = loadFixture<{ readonly network: ConvNetSpec }>('convnet');
  it.each(Object.entries(networks.cases))(
    'of the networks, in parameters and images, as far as float32 tells: %s',
    async (name, { network: spec }) => {
      const network = convNet({
        inputShape: [spec.inSize, spec.inSize, spec.inChannels],
        outputs: spec.classes,
        depth: spec.depth,
        width: spec.width,
        pool: spec.pool,
        epsilon: spec.normEps,
        firstPadding: spec.firstPad,
      });
      const all = networks as Fixture<never>;
      const energy = crossEntropyEnergy();
      const { value, gradients } = await evaluate(
        ({ params, images }: { params: ConvNetParams; images: Tensor }, { labels }: never) =>
          neg(reduceEnergy(energy(network.apply(params, images), labels), undefined, 'mean')) as Scalar,
        { params: hostTree(all, `${name}/param`), images: host(all, `${name}/images`) },
        { labels: oneHot(networks.values(`${name}/labels`), spec.classes) },
      );
      expectExact('loss', [-value], networks.values(`${name}/loss`));
      const negated = (path: string) => Array.from(gradients.get(path) ?? [], (number) => -number);
      expectExact('images', negated('images'), networks.values(`${name}/grad_images`));
      const stored = networks.names(`${name}/grad/`);
      for (const entry of stored) expectExact(entry, negated(`params/${entry.slice(`${name}/grad/`.length)}`), networks.values(entry));
      expect(stored.length).toBe(gradients.size - 1);
    },
  );
});
