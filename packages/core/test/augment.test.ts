import './support/backend.js';
import type { AugmentationParameters, Runtime, Tree } from '@bpc/core';
import {
  AUGMENTATION_GROUPS,
  applyAugmentation,
  augmentationInputs,
  augmentationVariants,
  augmentHost,
  ConfigError,
  DSA_STRATEGY,
  DSA_STRATEGY_WITHOUT_FLIP,
  disposeTree,
  drawAugmentation,
  drawAugmentationParameters,
  foldIn,
  key,
  parseAugmentation,
  ShapeError,
  valueAndGrad,
} from '@bpc/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { memory, mul, ones, sum, tensor } from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadFixture } from '../../../tooling/fixtures/load.js';
import { runtimes } from './support/runtimes.js';

const fixture = loadFixture('dsa');
const { batch, height, width, channels, cutoutSize } = fixture.cases['all'] as {
  batch: number;
  height: number;
  width: number;
  channels: number;
  cutoutSize: number;
};
const shape = [batch, height, width, channels] as const;
const floats = (name: string) => Float32Array.from(fixture.values(name));
const integers = (name: string) => Int32Array.from(fixture.values(name));
const neutral = new Float32Array(batch).fill(0.5);
const color = (more: object): AugmentationParameters => ({
  group: 'color',
  brightness: neutral,
  saturation: neutral,
  contrast: neutral,
  ...more,
});
const [brightness, saturation, contrast] = [floats('u/brightness'), floats('u/saturation'), floats('u/contrast')];

const cases: Record<string, AugmentationParameters> = {
  brightness: color({ brightness }),
  saturation: color({ saturation }),
  contrast: color({ contrast }),
  color: color({ brightness, saturation, contrast }),
  crop: { group: 'crop', shift: integers('crop_shift') },
  cutout: { group: 'cutout', centre: integers('cutout_centre'), size: [cutoutSize, cutoutSize] },
  flip: { group: 'flip', flip: integers('flip') },
  scale: { group: 'scale', scale: floats('scale'), alignCorners: true },
  rotate: { group: 'rotate', angle: floats('angle'), alignCorners: true },
  scale_half_pixel: { group: 'scale', scale: floats('scale'), alignCorners: false },
  rotate_half_pixel: { group: 'rotate', angle: floats('angle'), alignCorners: false },
};

it('covers every reference operation', () => {
  expect(Object.keys(cases).sort()).toEqual(
    fixture
      .names()
      .filter((name) => name.startsWith('out/'))
      .map((name) => name.slice(4))
      .sort(),
  );
});

describe.each(runtimes)('applyAugmentation on %s', (_, makeRuntime) => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await makeRuntime();
  });
  afterAll(async () => runtime.dispose());

  it.each(Object.entries(cases))('%s matches the reference value and image gradient', async (name, parameters) => {
    const { variant, inputs } = augmentationInputs(parameters, batch, height, width);
    const program = runtime.compile((x: Tensor, v: Tensor, parameterInputs: Tree) => ({
      out: applyAugmentation(variant, x, parameterInputs),
      grad: valueAndGrad((p: { x: Tensor }) => sum(mul(applyAugmentation(variant, p.x, parameterInputs), v)))({ x }).grad,
    }));
    const image = (which: string) => tensor(floats(which), [...shape], 'float32');
    const { out, grad } = await program(image('images'), image('cotangent'), inputs);
    fixture.expectClose(`out/${name}`, await out.data());
    fixture.expectClose(`grad/${name}`, await grad.x.data());
    await program.dispose();
  });
});

describe('augmentHost', () => {
  it.each(Object.entries(cases))('%s matches the reference to float32 rounding', (name, parameters) => {
    const images = floats('images');
    fixture.expectClose(`out/${name}`, augmentHost(parameters, images, shape), 'f64');
    expect(images).toEqual(floats('images'));
  });

  it('refuses images that do not fit their shape', () => {
    expect(() => augmentHost({ group: 'none' }, new Float32Array(3), [1, 2, 2, 1])).toThrow(ShapeError);
    expect(() => augmentHost({ group: 'flip', flip: Int32Array.of(1) }, new Float32Array(8), [2, 2, 2, 1])).toThrow(
      /flip has 1 parameters for 2 images/,
    );
  });
});

describe('parseAugmentation', () => {
  it('knows the default strategies', () => {
    expect([...parseAugmentation(DSA_STRATEGY).groups].sort()).toEqual([...AUGMENTATION_GROUPS].sort());
    expect(parseAugmentation(DSA_STRATEGY_WITHOUT_FLIP).groups).not.toContain('flip');
    expect(parseAugmentation('none').groups).toEqual([]);
  });

  it.each(['colour', '', 'crop_', 'crop_crop', 'none_crop', 'toString'])('refuses %j', (name) => {
    expect(() => parseAugmentation(name)).toThrow(ConfigError);
  });
});

describe('drawAugmentationParameters', () => {
  const [h, w] = [28, 20];
  const draws = (group: string, count = 400, options = {}) =>
    Array.from({ length: count }, (_, i) => drawAugmentationParameters(foldIn(key(1), i), parseAugmentation(group), 3, h, w, options));
  const range = (values: number[]) => [Math.min(...values), Math.max(...values)];

  it('gives equal draws for equal keys and others for other keys', () => {
    const strategy = parseAugmentation(DSA_STRATEGY);
    expect(drawAugmentationParameters(key(1), strategy, 3, h, w)).toEqual(drawAugmentationParameters(key(1), strategy, 3, h, w));
    expect(draws('rotate', 1)).not.toEqual(draws('rotate', 2).slice(1));
  });

  it('draws every group about equally often', () => {
    const groups = draws(DSA_STRATEGY, 3000).map(({ group }) => group);
    for (const group of AUGMENTATION_GROUPS) {
      // 500 expected, standard deviation 20.4.
      expect(Math.abs(groups.filter((g) => g === group).length - 500)).toBeLessThan(5 * 20.4);
    }
  });

  it('shifts by up to an eighth of the image, both ways', () => {
    const shifts = draws('crop').flatMap((p) => (p.group === 'crop' ? [...p.shift] : []));
    expect(range(shifts.filter((_, i) => i % 2 === 0))).toEqual([-4, 4]);
    expect(range(shifts.filter((_, i) => i % 2 === 1))).toEqual([-3, 3]);
  });

  it('cuts squares of half the image around centres on the whole image', () => {
    const all = draws('cutout').flatMap((p) => (p.group === 'cutout' ? [p] : []));
    expect(all[0]?.size).toEqual([14, 10]);
    const centres = all.flatMap(({ centre }) => [...centre]);
    expect(range(centres.filter((_, i) => i % 2 === 0))).toEqual([0, 28]);
    expect(range(centres.filter((_, i) => i % 2 === 1))).toEqual([0, 20]);
  });

  it('scales by factors in [1/1.2, 1.2] and rotates by up to 15 degrees, around 1 and 0', () => {
    const scales = draws('scale').flatMap((p) => (p.group === 'scale' ? [...p.scale] : []));
    const angles = draws('rotate').flatMap((p) => (p.group === 'rotate' ? [...p.angle] : []));
    const near = (values: number[], low: number, high: number) => {
      const [least = 0, most = 0] = range(values);
      expect(least).toBeGreaterThanOrEqual(low - 1e-6);
      expect(most).toBeLessThanOrEqual(high + 1e-6);
      expect((most - least) / (high - low)).toBeGreaterThan(0.98);
    };
    near(scales, 1 / 1.2, 1.2);
    near(angles, -Math.PI / 12, Math.PI / 12);
  });

  it('draws per image, or once for all when shared', () => {
    const [own] = draws('rotate', 1);
    const [shared] = draws('rotate', 1, { shared: true });
    expect(new Set(own?.group === 'rotate' ? own.angle : []).size).toBe(3);
    expect(new Set(shared?.group === 'rotate' ? shared.angle : []).size).toBe(1);
  });
});

describe('drawAugmentation', () => {
  it('gives only the variants that were announced, and no tensors besides its inputs', () => {
    const strategy = parseAugmentation(DSA_STRATEGY);
    expect([...augmentationVariants(strategy)].sort()).toEqual(['color', 'cutout', 'move', 'resample']);
    expect(augmentationVariants(parseAugmentation('crop_flip'))).toEqual(['move']);
    expect(augmentationVariants(parseAugmentation('none'))).toEqual(['none']);
    const before = memory().numTensors;
    const seen = new Set<string>();
    for (let i = 0; i < 40; i++) {
      const { variant, inputs } = drawAugmentation(foldIn(key(2), i), strategy, 2, 6, 6);
      seen.add(variant);
      disposeTree(inputs);
    }
    expect([...seen].sort()).toEqual([...augmentationVariants(strategy)].sort());
    expect(memory().numTensors).toBe(before);
  });

  it('refuses inputs of another variant and tensors that are no images', () => {
    const { inputs } = drawAugmentation(key(0), parseAugmentation('cutout'), 1, 4, 4);
    expect(() => applyAugmentation('color', ones([1, 4, 4, 1]), inputs)).toThrow(/no 'brightness'/);
    expect(() => applyAugmentation('cutout', ones([4, 4]), inputs)).toThrow(ShapeError);
  });
});
