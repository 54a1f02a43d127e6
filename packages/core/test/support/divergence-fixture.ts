import type { Batch, Coreset, DivergenceInput, Tree } from '@bpc/core';
import { applyAugmentation, augmentationInputs, classTargets, crossEntropyEnergy, gatherRows, supervised } from '@bpc/core';
import { convNet } from '@bpc/models';
import type { Scalar, Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import { ones, reshape, stack } from '@tensorflow/tfjs-core';
import { type ConvNetSpec, type Fixture, loadFixture } from '../../../../tooling/fixtures/load.js';

/** Hyper-parameters of the cases of `bpc_divergences`. */
export type DivergenceCase = {
  readonly steps: number;
  readonly stepSize: number;
  readonly augment?: boolean;
  readonly draws: number;
  readonly sigma: number;
  readonly realTotal: number;
};

/** The stored networks, images and real batch of `bpc_divergences`. */
export function divergenceFixture() {
  const fixture: Fixture<DivergenceCase> = loadFixture<DivergenceCase>('bpc_divergences');
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
  const model = supervised({ network, energy: crossEntropyEnergy() });
  const targets = (name: string) => classTargets(Array.from(fixture.values(name)), spec.classes);
  const images = () => fixture.tensor('images');
  const points = images().shape[0] ?? 0;
  /** Coreset and real batch, fresh tensors; weights of one unless the stored ones are asked for. */
  const coreset = (weighted = false): Coreset => ({
    x: images(),
    y: targets('labels'),
    weights: (weighted ? fixture.tensor('weights') : ones([points])) as Tensor1D,
  });
  const real = (): Batch => ({ x: fixture.tensor('real_images'), y: targets('real_labels') });
  const params = (name: string) => fixture.tree(name) as unknown as ReturnType<typeof network.init>;
  /** The K stored draws of `eps1` or `eps2`, one tree each. */
  const noise = (name: 'eps1' | 'eps2') => Object.values(fixture.tree(name)) as unknown as readonly Tree[];
  const { cutoutSize } = fixture.cases['dsa'] as unknown as { readonly cutoutSize: number };
  const { inSize } = spec;
  const floats = (name: string) => Float32Array.from(fixture.values(name));
  const integers = (name: string) => Int32Array.from(fixture.values(name));
  /** The stored augmentations, each of another group; `first` is the number of the draw that takes the first of them. */
  const augment =
    (first: number): NonNullable<DivergenceInput<Tree>['augment']> =>
    (x: Tensor, draw: Scalar) => {
      const all = [
        {
          group: 'color',
          brightness: floats('dsa/0/brightness'),
          saturation: floats('dsa/0/saturation'),
          contrast: floats('dsa/0/contrast'),
        },
        { group: 'crop', shift: integers('dsa/1/shift') },
        { group: 'cutout', centre: integers('dsa/2/centre'), size: [cutoutSize, cutoutSize] },
        { group: 'rotate', angle: floats('dsa/3/angle'), alignCorners: true },
      ] as const;
      const images = all.map((parameters) => {
        const { variant, inputs } = augmentationInputs(parameters, points, inSize, inSize);
        return applyAugmentation(variant, x, inputs);
      });
      // Draws before the first are never asked for: which one a loop is at is not known while it is traced.
      const shifted = [...Array.from({ length: first }, () => images[0] as Tensor), ...images];
      return reshape(gatherRows(stack(shifted), reshape(draw, [1])), x.shape);
    };
  return { fixture, network, model, coreset, real, params, noise, augment };
}
