import type { AugmentationParameters, Coreset, Tree } from '@bpc/core';
import { applyAugmentation, augmentationInputs, crossEntropyEnergy, supervised } from '@bpc/core';
import { convNet } from '@bpc/models';
import type { Scalar, Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import { add, cast, equal, mul, oneHot, ones } from '@tensorflow/tfjs-core';
import { type ConvNetSpec, loadFixture } from '../../../../tooling/fixtures/load.js';

/** Settings of one case of the topic `bpc_divergences`. */
export type DivergenceCase = { draws: number; sigma: number; steps: number; stepSize: number; augment: boolean };

export const fixture = loadFixture<DivergenceCase>('bpc_divergences');
const spec = fixture.cases['network'] as unknown as ConvNetSpec;
const { cutoutSize } = fixture.cases['dsa'] as unknown as { readonly cutoutSize: number };

export const network = convNet({
  inputShape: [spec.inSize, spec.inSize, spec.inChannels],
  outputs: spec.classes,
  depth: spec.depth,
  width: spec.width,
  pool: spec.pool,
  epsilon: spec.normEps,
  firstPadding: spec.firstPad,
});
export const model = supervised({ network, energy: crossEntropyEnergy() });

/** The case, with its settings. */
export function settingsOf(name: string): DivergenceCase {
  const settings = fixture.cases[name];
  if (settings === undefined) throw new Error(`there is no case '${name}'`);
  return settings;
}

/** The stored images with one-hot labels and weights of one. */
export function storedCoreset(): Coreset {
  const x = fixture.tensor('images');
  const y = cast(oneHot(fixture.tensor('labels'), spec.classes), 'float32');
  return { x, y, weights: ones([x.shape[0] ?? 0]) as Tensor1D };
}

/** `prefix/0`, `prefix/1`, … */
export const storedDraws = (prefix: string): readonly Tree[] => Object.values(fixture.tree(prefix)) as readonly Tree[];

/** Draw d of the stored augmentations, each of another group: all are applied, and the one that is meant is kept. */
export function storedAugmentation(): (x: Tensor, draw: Scalar) => Tensor {
  const floats = (name: string) => Float32Array.from(fixture.values(name));
  const integers = (name: string) => Int32Array.from(fixture.values(name));
  const color = (part: string) => floats(`dsa/0/${part}`);
  const draws: readonly AugmentationParameters[] = [
    { group: 'color', brightness: color('brightness'), saturation: color('saturation'), contrast: color('contrast') },
    { group: 'crop', shift: integers('dsa/1/shift') },
    { group: 'cutout', centre: integers('dsa/2/centre'), size: [cutoutSize, cutoutSize] },
    { group: 'rotate', angle: floats('dsa/3/angle'), alignCorners: true },
  ];
  return (x, draw) => {
    const [points = 0, height = 0, width = 0] = x.shape;
    return draws
      .map((parameters, d) => {
        const { variant, inputs } = augmentationInputs(parameters, points, height, width);
        return mul(applyAugmentation(variant, x, inputs), cast(equal(draw, d), 'float32'));
      })
      .reduce((total, one): Tensor => add(total, one));
  };
}
