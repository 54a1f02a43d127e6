import type { Network, Runtime, Tree } from '@bpc/core';
import { classTargets, crossEntropy, disposeTree, grad, valueAndGrad } from '@bpc/core';
import { alexNet, resNet18, vgg11 } from '@bpc/models';
import type { Tensor } from '@tensorflow/tfjs-core';
import { mean, memory } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import type { TensorTree } from '../../../tooling/fixtures/load.js';
import { loadFixture } from '../../../tooling/fixtures/load.js';
import { runtimes } from './runtimes.js';

type Spec = { readonly inChannels: number; readonly inSize: number; readonly classes: number; readonly widths?: readonly number[] };
type Case = {
  readonly network: Spec & { readonly kind: string; readonly config?: readonly (number | 'M')[] };
  readonly paramCount: number;
};
const fixture = loadFixture<Case>('architectures');
const cases = Object.entries(fixture.cases).filter(([, { network }]) => network !== undefined);

function networkOf({ network: { kind, inChannels, inSize, classes, widths, config } }: Case): Network<Tree> {
  const common = { inputShape: [inSize, inSize, inChannels], outputs: classes } as const;
  const channels = widths ?? config?.filter((entry) => entry !== 'M') ?? [];
  if (kind === 'resnet18') return resNet18({ ...common, widths: channels });
  return (kind === 'vgg11' ? vgg11 : alexNet)({ ...common, widths: channels });
}

type Named = { readonly [name: string]: TensorTree };

const nested = (tree: Named, name: string) => tree[name] as Named;

/** The stored names of a ResNet as this library's tree. */
function resNetTree(stored: Named): Tree {
  const block = ({ shortcut, shortcut_norm: norm, ...rest }: Named) =>
    shortcut === undefined ? rest : { ...rest, shortcut: { conv: shortcut, norm: norm as TensorTree } };
  const stages = [0, 1, 2, 3].map((i) => {
    const { block0, block1 } = nested(stored, `stage${i}`);
    return [`stage${i}`, { block0: block(block0 as Named), block1: block(block1 as Named) }] as const;
  });
  return {
    stem: { conv: nested(stored, 'stem'), norm: nested(stored, 'stem_norm') },
    ...Object.fromEntries(stages),
    dense: nested(stored, 'dense'),
  };
}

const ours = ({ network: { kind } }: Case, stored: Named): Tree => (kind === 'resnet18' ? resNetTree(stored) : stored);

/** The way back, for comparing gradients by their stored names. */
function theirs<T>({ network: { kind } }: Case, tree: T): unknown {
  if (kind !== 'resnet18') return tree;
  type Pair = { readonly conv: unknown; readonly norm: unknown };
  type Blocks = { readonly [block: string]: { readonly shortcut?: Pair } };
  const { stem, dense, ...stages } = tree as { stem: Pair; dense: unknown } & { [stage: string]: Blocks };
  const renamed = Object.entries(stages).map(([stage, blocks]) => {
    const named = Object.entries(blocks).map(([name, { shortcut, ...rest }]) => [
      name,
      { ...rest, shortcut: shortcut?.conv, shortcut_norm: shortcut?.norm },
    ]);
    return [stage, Object.fromEntries(named)];
  });
  return { stem: stem.conv, stem_norm: stem.norm, ...Object.fromEntries(renamed), dense };
}

it('has the three networks, and AlexNet on one channel', () => {
  expect(cases.map(([name]) => name)).toEqual(expect.arrayContaining(['alexnet', 'alexnet_gray', 'vgg11', 'resnet18']));
});

describe.each(runtimes)('on %s', (_, makeRuntime: () => Promise<Runtime>) => {
  it.each(cases)('logits, loss and gradients of %s are the reference’s', async (name, spec) => {
    const runtime = await makeRuntime();
    const network = networkOf(spec);
    expect(network.parameterCount).toBe(spec.paramCount);
    const energy = (params: Tree, images: Tensor, targets: Tensor) => mean(crossEntropy(network.apply(params, images), targets));
    const compiled = runtime.compile((params: Tree, images: Tensor, targets: Tensor) => ({
      logits: network.apply(params, images),
      ...valueAndGrad((p: Tree) => energy(p, images, targets))(params),
      grad_images: grad((x: Tensor) => energy(params, x, targets))(images),
    }));
    const labels = classTargets(fixture.values(`${name}/labels`), spec.network.classes);
    const before = memory().numTensors;
    const params = ours(spec, fixture.tree(`${name}/param`));
    const images = fixture.tensor(`${name}/images`);
    const found = await compiled(params, images, labels);
    fixture.expectClose(`${name}/logits`, found.logits);
    fixture.expectClose(`${name}/loss`, found.value);
    fixture.expectClose(`${name}/grad_images`, found.grad_images);
    fixture.expectTreeClose(`${name}/grad`, theirs(spec, found.grad));
    disposeTree([found as Tree, params, images]);
    await compiled.dispose();
    await runtime.dispose();
    expect(memory().numTensors).toBeLessThanOrEqual(before);
  });
});
