import './support/backend.js';
import { jsRuntime } from '@bpc/compiler';
import type { ContrastiveDivergenceOptions, Coreset, DivergenceInput, HostTensor, HostTree, Model, Tree } from '@bpc/core';
import { contrastiveEstimate, crossEntropyEnergy, descentDraws, forwardKlEstimate, hostArray, key, supervised, treeMap } from '@bpc/core';
import { convNet } from '@bpc/models';
import type { Tensor } from '@tensorflow/tfjs-core';
import { add, mul, reshape } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { type ConvNetSpec, type Fixture, loadFixture } from '../../../tooling/fixtures/load.js';
import { fixture as divergences, model as divergencesModel, settingsOf } from './support/divergences-fixture.js';

type AnyFixture = Pick<Fixture<never>, 'values' | 'entries' | 'names'>;
const host = (fixture: AnyFixture, name: string): HostTensor => ({
  data: Float64Array.from(fixture.values(name)),
  shape: fixture.entries[name]?.shape ?? [],
});

/** Everything below `prefix/`, `conv0/kernel` as `{ conv0: { kernel } }`, by `leaf` of each name below it. */
function hostTree(fixture: AnyFixture, prefix: string, leaf: (name: string) => HostTensor): HostTree {
  const tree: Record<string, Record<string, HostTensor>> = {};
  for (const name of fixture.names(`${prefix}/`)) {
    const [layer = '', part = ''] = name.slice(prefix.length + 1).split('/');
    tree[layer] = { ...tree[layer], [part]: leaf(name) };
  }
  return tree;
}
const parameters = (fixture: AnyFixture, prefix: string) => hostTree(fixture, prefix, (name) => host(fixture, name));

/** `prefix/0`, `prefix/1`, … stacked along axis 0. */
function stackedDraws(fixture: AnyFixture, prefix: string): HostTree {
  const count = new Set(fixture.names(`${prefix}/`).map((name) => name.split('/')[1])).size;
  return hostTree(fixture, `${prefix}/0`, (name) => {
    const parts = Array.from({ length: count }, (_, k) => fixture.values(name.replace(`${prefix}/0/`, `${prefix}/${k}/`)));
    return {
      data: Float64Array.from(parts.flatMap((values) => Array.from(values))),
      shape: [count, ...(fixture.entries[name]?.shape ?? [])],
    };
  });
}

/** Outputs of a function of the images in float64, by path. */
async function inFloat64(
  fn: (params: { readonly x: Tensor }, data: never) => Tree,
  x: HostTensor,
  data: HostTree,
): Promise<ReadonlyMap<string, Float64Array>> {
  const runtime = jsRuntime();
  const mapping = await runtime.mapping(fn as never, { x }, data);
  const out = new Float64Array(mapping.outputSize);
  await mapping.evaluate(Float64Array.from(hostArray(x).data), out);
  let offset = 0;
  const found = mapping.outputs.map(({ path, shape }) => {
    const size = shape.reduce((a, b) => a * b, 1);
    offset += size;
    return [path, out.slice(offset - size, offset)] as const;
  });
  await runtime.dispose();
  return new Map(found);
}

const at = (found: ReadonlyMap<string, Float64Array>, path: string): Float64Array => {
  const values = found.get(path);
  if (values === undefined) throw new Error(`no output '${path}', but ${[...found.keys()].join(', ')}`);
  return values;
};

describe('in float64 on the js runtime', () => {
  it('forward KL matches its reference to 1e-9, from the start of the descent on', async () => {
    const { sigma, steps, stepSize } = settingsOf('fkl');
    type Data = {
      readonly start: Tree;
      readonly expert: Tree;
      readonly eps1: Tree;
      readonly eps2: Tree;
      readonly y: Tensor;
      readonly weights: Tensor;
    };
    const labels = divergences.values('labels');
    const classes = 4;
    const found = await inFloat64(
      ({ x }, { start, expert, eps1, eps2, y, weights }: Data) => {
        const model = divergencesModel as unknown as Model<Tree>;
        const coreset = { x, y, weights } as Coreset;
        const input: DivergenceInput<Tree> = { model, coreset, learnable: { x: true, y: false, weights: false }, expert, start };
        const one = descentDraws({ steps, stepSize, sigma: 0 }).draw(key(0), input, 1);
        const centre = treeMap((leaf) => reshape(leaf, leaf.shape.slice(1)), one);
        const negative = treeMap((theta, epsilon) => add(theta, mul(epsilon, sigma)), centre, eps1);
        return { centre, ...forwardKlEstimate(input, { expert: eps2, negative }, { sigma }) } as unknown as Tree;
      },
      host(divergences, 'images'),
      {
        start: parameters(divergences, 'start'),
        expert: parameters(divergences, 'expert'),
        eps1: stackedDraws(divergences, 'eps1'),
        eps2: stackedDraws(divergences, 'eps2'),
        y: {
          data: Float64Array.from({ length: labels.length * classes }, (_, i) => Number(labels[Math.floor(i / classes)] === i % classes)),
          shape: [labels.length, classes],
        },
        weights: { data: new Float64Array(labels.length).fill(1), shape: [labels.length] },
      },
    );
    for (const name of divergences.names('w/theta_S/')) {
      divergences.expectClose(name, at(found, name.replace('w/theta_S', 'centre')), 'f64');
    }
    divergences.expectClose('fkl/positive', at(found, 'energiesPlus'), 'f64');
    divergences.expectClose('fkl/negative', at(found, 'energiesMinus'), 'f64');
    divergences.expectClose('fkl/loss', at(found, 'value'), 'f64');
    divergences.expectClose('fkl/grad_images', at(found, 'grad/x'), 'f64');
  });

  // Without noise: √(2λT) is a computed constant, which programs round to float32.
  it.each(['mean_cold', 'sum_cold'])('contrastive divergence matches %s to 1e-9', async (name) => {
    const fixture = loadFixture<ContrastiveDivergenceOptions>('bpc_cd');
    const spec = fixture.cases['network'] as unknown as ConvNetSpec;
    const network = convNet({
      inputShape: [spec.inSize, spec.inSize, spec.inChannels],
      outputs: spec.classes,
      depth: spec.depth,
      width: spec.width,
      pool: spec.pool,
      epsilon: spec.normEps,
      firstPadding: spec.firstPad,
    });
    const model = supervised({ network, energy: crossEntropyEnergy() }) as unknown as Model<Tree>;
    type Data = { readonly expert: Tree; readonly eps: Tree; readonly y: Tensor; readonly weights: Tensor };
    const found = await inFloat64(
      ({ x }, { expert, eps, y, weights }: Data) => {
        const input = { model, coreset: { x, y, weights } as Coreset, learnable: { x: true, y: true, weights: true }, expert };
        return contrastiveEstimate(input, { expert: eps, chain: undefined }, fixture.cases[name] ?? {}) as unknown as Tree;
      },
      host(fixture, 'images'),
      {
        expert: parameters(fixture, 'param'),
        eps: parameters(fixture, 'eps'),
        y: host(fixture, 'labels'),
        weights: host(fixture, 'weights'),
      },
    );
    const compared = {
      energy_plus: 'energyPlus',
      energy_minus: 'energyMinus',
      loss: 'value',
      chain_energies: 'chainEnergies',
      grad_images: 'grad/x',
      grad_labels: 'grad/y',
      grad_weights: 'grad/weights',
    };
    for (const [entry, path] of Object.entries(compared)) fixture.expectClose(`${name}/${entry}`, at(found, path), 'f64');
    expect(found.size).toBeGreaterThan(7);
  });
});
