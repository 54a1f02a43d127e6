import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import {
  datasetNames,
  listPresets,
  methodNames,
  methodOfPreset,
  type Overrides,
  preset,
  presetNames,
  presetOrigin,
  readConfigFile,
  resolveConfig,
} from '../src/config/index.js';
import { refusal } from './refusal.js';

const resolve = (flags: Overrides) => resolveConfig({ flags });

describe('every preset', () => {
  it.each(presetNames)('%s holds together on every data set, at few and many images per class', (name) => {
    for (const dataset of datasetNames) {
      for (const ipc of [1, 2, 10, 20, 50]) {
        const config = resolve({ preset: name, dataset, ipc });
        expect(config).toMatchObject({ preset: name, dataset, ipc, method: methodOfPreset(name) });
        expect(name.endsWith(config.method)).toBe(true);
      }
    }
  });

  it('of a data set trains the same experts for every method, which a comparison can share', () => {
    for (const prefix of ['small', 'paper']) {
      for (const dataset of datasetNames) {
        for (const ipc of [1, 10]) {
          const shared = methodNames.map((method) => {
            const { experts, expertEpochs, expertImages, expertBatch, expertLearningRate, expertMomentum, expertAugment, ...rest } =
              resolve({
                ...{ preset: `${prefix}-${method}`, dataset, ipc },
              });
            const { network, width, depth, init, evaluation, full } = rest;
            return JSON.stringify([
              ...[experts, expertEpochs, expertImages, expertBatch, expertLearningRate, expertMomentum, expertAugment],
              ...[network, width, depth, init, evaluation, full],
            ]);
          });
          expect(new Set(shared).size).toBe(1);
        }
      }
    }
  });

  it('is listed once, with its method and whether it is tuned', () => {
    const list = listPresets();
    expect(list.map(({ name }) => name)).toEqual([...presetNames]);
    for (const { name, origin, tuned } of list) {
      expect(origin).toMatch(name.startsWith('paper-') ? /not run/ : tuned.length > 0 ? /^tuned on/ : /^untuned/);
      for (const { dataset, ipc } of tuned) for (const k of ipc) expect(presetOrigin(name, dataset, k)).toBe('tuned');
    }
    expect(presetOrigin('small-bpc-cd', 'mnist', 1)).toBe('tuned');
    expect(presetOrigin('small-bpc-cd', 'mnist', 50)).toBe('untuned');
    expect(presetOrigin('paper-bpc-cd', 'mnist', 1)).toBe('paper');
  });
});

describe('choosing a preset', () => {
  it('follows the method, or gives the method', () => {
    expect(resolve({ method: 'bpc-w' }).preset).toBe('small-bpc-w');
    expect(resolve({ preset: 'paper-psvi' }).method).toBe('psvi');
    expect(resolve({}).preset).toBe('small-bpc-cd');
  });

  it('is refused for another method, an unknown name gets a suggestion', () => {
    const error = refusal(() => resolve({ method: 'bpc-w', preset: 'paper-bpc-cd' }));
    expect(error.message).toContain("preset is 'paper-bpc-cd', which is for method bpc-cd, but method is 'bpc-w'");
    expect(error.remedy).toContain('--preset paper-bpc-w');
    expect(refusal(() => resolve({ preset: 'paper-bpc-wx' })).remedy).toContain("'paper-bpc-w'");
  });

  it('goes under the file, which goes under flags', () => {
    const file = { path: 'f.yaml', values: { preset: 'paper-bpc-w', innerSteps: 7 } };
    expect(resolveConfig({ file })).toMatchObject({ method: 'bpc-w', width: 128, innerSteps: 7 });
    expect(resolveConfig({ file, flags: { innerSteps: 8, preset: 'small-bpc-w' } })).toMatchObject({ width: 32, innerSteps: 8 });
  });
});

describe('the papers’ presets', () => {
  // Tiwary et al. 2024: page of hyper-parameters, and the released configuration per data set.
  it.each([
    ['mnist', 1, 14, 1000],
    ['fashion-mnist', 1, 4, 1],
    ['fashion-mnist', 50, 14, 1],
    ['svhn', 10, 14, 1],
    ['cifar10', 1, 0, 1],
    ['cifar10', 10, 6, 1000],
    ['cifar10', 50, 1, 1000],
    ['cifar100', 10, 9, 100],
  ] as const)('BPC-CD on %s at %i per class starts up to epoch %i with learning rate %d', (dataset, ipc, last, imageLearningRate) => {
    expect(resolve({ preset: 'paper-bpc-cd', dataset, ipc })).toMatchObject({
      ...{ width: 128, depth: 3, experts: 100, expertEpochs: 50, expertBatch: 256, expertLearningRate: 0.01, expertMomentum: 0 },
      ...{ steps: 2000, innerSteps: 100, stepSize: 0.01, sigma: 0.001, momentum: 0.5, startEpochRange: [0, last], imageLearningRate },
    });
  });

  // Kim et al. 2022: [ipc, last start epoch, inner steps, α, its learning rate, epochs ahead, K].
  it.each([
    ['bpc-w', 1, 1, 50, 0.01, 1e-7, 2, undefined],
    ['bpc-w', 10, 19, 30, 0.03, 1e-5, 1, undefined],
    ['bpc-w', 20, 29, 30, 0.03, 1e-5, 2, undefined],
    ['bpc-fkl', 1, 1, 50, 0.01, 0, 1, 30],
    ['bpc-fkl', 10, 19, 30, 0.03, 0, 1, 30],
    ['bpc-rkl', 1, 1, 50, 0.01, 0, 1, 10],
    ['bpc-rkl', 10, 19, 30, 0.03, 0, 1, 30],
    ['bpc-rkl', 20, 29, 30, 0.03, 0, 1, 10],
  ] as const)('%s at %i per class', (method, ipc, last, innerSteps, stepSize, stepSizeLearningRate, epochsAhead, draws) => {
    const config = resolve({ preset: `paper-${method}`, dataset: 'cifar10', ipc });
    expect(config).toMatchObject({ startEpochRange: [0, last], innerSteps, stepSize, stepSizeLearningRate, epochsAhead, steps: 5000 });
    expect(config.imageLearningRate).toBe(1000);
    if (draws !== undefined) expect(config).toMatchObject({ draws, sigma: 0.01 });
    if (method === 'bpc-rkl') expect(config).toMatchObject({ realBatch: 1000, momentum: 0, augment: 'none' });
    else expect(config.augment).toBe('color_crop_cutout_flip_scale_rotate');
  });

  it('mirror no digits', () => {
    for (const dataset of ['mnist', 'svhn', 'svhn10k', 'usps'])
      expect(resolve({ preset: 'paper-bpc-cd', dataset }).augment).not.toContain('flip');
    expect(resolve({ preset: 'paper-bpc-cd', dataset: 'fashion-mnist' }).augment).toContain('flip');
  });
});

describe('settings that contradict each other are refused', () => {
  const cases: readonly (readonly [flags: Overrides, message: string, remedy: string])[] = [
    [{ method: 'bpc-w', epochsAhead: 0 }, 'epochsAhead is 0, but bpc-w', '--epochs-ahead 1'],
    [{ method: 'bpc-fkl', epochsAhead: 0 }, 'epochsAhead is 0, but bpc-fkl', '--epochs-ahead 1'],
    [{ method: 'bpc-fkl', epochsAhead: 9, expertEpochs: 4 }, 'epochsAhead is 9, but experts are trained for 4', '--expert-epochs 9'],
    [
      { method: 'bpc-fkl', epochsAhead: 2, expertEpochs: 4, startEpochRange: [0, 3] },
      'startEpochRange ends at epoch 3 and the expert is 2 epochs ahead, but experts are trained for 4',
      '--start-epoch-range 0-2 or --expert-epochs 5',
    ],
    [{ method: 'psvi', reduction: 'mean' }, "reduction is 'mean', but psvi", "'sum'"],
    [{ method: 'bpc-w', temperature: 1e-6 }, 'temperature is 0.000001, but bpc-w', '--temperature 0'],
    [{ method: 'bpc-fkl', persistent: true }, 'persistent is true, but bpc-fkl', '--persistent'],
    [{ method: 'bpc-cd', stepSizeLearningRate: 0.1 }, 'stepSizeLearningRate is 0.1, but bpc-cd', '--method bpc-w'],
    [{ method: 'bpc-rkl', draws: 1 }, 'draws is 1, but bpc-rkl', '--draws 2'],
    [{ method: 'psvi', draws: 1 }, 'draws is 1, but psvi', '--draws 2'],
  ];
  it.each(cases)('%o', (flags, message, remedy) => {
    const error = refusal(() => resolve(flags));
    expect(error.message).toContain(message);
    expect(error.remedy).toContain(remedy);
  });

  it('while the preset’s range of start epochs leaves room for an expert further ahead', () => {
    const { expertEpochs, startEpochRange } = resolve({ method: 'bpc-fkl', dataset: 'mnist', epochsAhead: 2 });
    expect(startEpochRange[1]).toBe(expertEpochs - 2);
  });
});

describe('the ablations of the BPC-CD paper', () => {
  const folder = fileURLToPath(new URL('../../../configs/ablations/', import.meta.url));
  const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
  const at = (name: string) => resolveConfig({ file: { path: name, values: readConfigFile(`${folder}${name}`) } });
  const defaults = preset('cifar10', 10);

  it('are k, σ and augmentation on CIFAR-10 at ten per class', () => {
    expect(files.sort()).toEqual(
      ['k10', 'k100', 'k50', 'sigma-0.0001', 'sigma-0.001', 'sigma-0.01', 'with-dsa', 'without-dsa'].map((name) => `cd-${name}.yaml`),
    );
    expect([10, 50, 100].map((k) => at(`cd-k${k}.yaml`).innerSteps)).toEqual([10, 50, 100]);
    expect(['0.01', '0.001', '0.0001'].map((sigma) => at(`cd-sigma-${sigma}.yaml`).sigma)).toEqual([0.01, 0.001, 0.0001]);
    expect(at('cd-without-dsa.yaml')).toMatchObject({ augment: 'none', evaluation: { augment: 'none' } });
  });

  it.each(files)('%s changes nothing else, and also goes over the paper’s preset', (name) => {
    const { evaluation, ...config } = at(name);
    expect(config).toMatchObject({ dataset: 'cifar10', ipc: 10, method: 'bpc-cd' });
    const changed = Object.entries(defaults).filter(([key, value]) => {
      const found: unknown = Reflect.get(config, key);
      return key !== 'evaluation' && JSON.stringify(found) !== JSON.stringify(value);
    });
    expect(changed.map(([key]) => key).filter((key) => !['innerSteps', 'sigma', 'augment'].includes(key))).toEqual([]);
    expect(changed.length).toBeLessThanOrEqual(1);
    const paper = resolveConfig({ file: { path: name, values: readConfigFile(`${folder}${name}`) }, flags: { preset: 'paper-bpc-cd' } });
    expect(paper.width).toBe(128);
    for (const [key, value] of Object.entries(readConfigFile(`${folder}${name}`)))
      if (key !== 'evaluation') expect(Reflect.get(paper, key)).toBe(value);
    expect(evaluation.chains).toBe(defaults.evaluation.chains);
  });
});
