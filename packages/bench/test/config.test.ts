import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { preset, readConfigFile, resolveConfig } from '../src/config/index.js';
import { refusal } from './refusal.js';

function fileWith(name: string, content: string): string {
  const path = join(mkdtempSync(join(tmpdir(), 'bpc-config-')), name);
  writeFileSync(path, content);
  return path;
}

describe('resolveConfig', () => {
  it.each([
    ['ipc', 0],
    ['ipc', -1],
    ['ipc', 1.5],
    ['ipc', 'abc'],
    ['ipc', Number.NaN],
    ['ipc', Number.POSITIVE_INFINITY],
    ['stepSize', -0.1],
    ['stepSize', 0],
    ['stepSize', Number.NaN],
    ['stepSize', Number.POSITIVE_INFINITY],
    ['temperature', -1e-9],
    ['temperature', Number.POSITIVE_INFINITY],
    ['imageLearningRate', -1],
    ['imageLearningRate', Number.NaN],
    ['momentum', 1],
    ['sigma', -1],
    ['innerSteps', 0],
    ['steps', 0],
    ['seeds', 0],
    ['seed', -1],
    ['width', 0],
    ['threads', 0],
    ['workers', -1],
    ['experts', 0],
    ['dataset', 'mnits'],
    ['method', 'bpc-xx'],
    ['init', 'nearest'],
    ['network', 'resnet'],
    ['reduction', 'max'],
    ['augment', 'color_blur'],
    ['learnLabels', 'yes'],
    ['startEpochRange', '3'],
    ['startEpochRange', [3, 1]],
  ])('refuses %s = %s naming option, value and remedy', (name, value) => {
    const error = refusal(() => resolveConfig({ flags: { [name]: value } }));
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    expect(error.message).toContain(flag);
    expect(error.message).toContain(Array.isArray(value) ? JSON.stringify(value) : String(value));
    expect(error.message).toContain('expected');
    expect(error.remedy).not.toBe('');
  });

  it('lists the known methods when the method is unknown', () => {
    expect(refusal(() => resolveConfig({ flags: { method: 'vbpc' } })).message).toContain('one of: bpc-cd');
  });

  it('suggests the data set that was probably meant', () => {
    expect(refusal(() => resolveConfig({ flags: { dataset: 'mnits' } })).remedy).toContain("'mnist'");
  });

  it('refuses unknown keys of a file, naming file and key, also inside a section', () => {
    const file = { path: 'run.yaml', values: { imageLearningrate: 1 } };
    const error = refusal(() => resolveConfig({ file }));
    expect(error.message).toContain("'imageLearningrate' in run.yaml");
    expect(error.remedy).toContain("'imageLearningRate'");
    const nested = refusal(() => resolveConfig({ file: { path: 'run.yaml', values: { evaluation: { chain: 2 } } } }));
    expect(nested.message).toContain("'evaluation.chain'");
    expect(nested.remedy).toContain("'chains'");
  });

  it('lets flags override the file and the file override the preset, key by key', () => {
    const file = { path: 'f.json', values: { steps: 7, ipc: 10, evaluation: { chains: 9, steps: 11 } } };
    const config = resolveConfig({ file, flags: { steps: 8, evaluation: { steps: 12 } } });
    expect(config.steps).toBe(8);
    expect(config.ipc).toBe(10);
    expect(config.evaluation).toMatchObject({ chains: 9, steps: 12 });
    expect(config.imageLearningRate).toBe(preset('mnist', 10).imageLearningRate);
  });

  it('shortens the range of start epochs with the training, unless it was asked for', () => {
    expect(resolveConfig({ flags: { expertEpochs: 2 } }).startEpochRange[1]).toBe(2);
    const error = refusal(() => resolveConfig({ flags: { expertEpochs: 2, startEpochRange: [0, 4] } }));
    expect(error.message).toContain('epoch 4');
  });

  it('accepts every preset', () => {
    for (const dataset of ['mnist', 'fashion-mnist', 'digits'])
      for (const ipc of [1, 10, 50]) expect(resolveConfig({ flags: { dataset, ipc } }).ipc).toBe(ipc);
  });
});

describe('readConfigFile', () => {
  it('reads JSON and YAML alike', () => {
    expect(readConfigFile(fileWith('a.json', '{"ipc": 3}'))).toEqual({ ipc: 3 });
    expect(readConfigFile(fileWith('a.yaml', 'ipc: 3\nevaluation:\n  chains: 2\n'))).toEqual({ ipc: 3, evaluation: { chains: 2 } });
  });

  it.each([
    ['bad.json', '{\n  "ipc": 1,\n  "steps": oops\n}', 'line 3'],
    ['cut.json', '{\n  "ipc": 1,\n', 'line 3'],
    ['bad.yaml', 'ipc: 1\nsteps: [1, 2\nseed: 3\n', 'line 3'],
    ['list.json', '[1]', 'line 1'],
  ])('says file and line when %s is damaged', (name, content, line) => {
    const path = fileWith(name, content);
    const error = refusal(() => readConfigFile(path));
    expect(error.message).toContain(path);
    expect(error.message).toContain(line);
  });

  it('refuses a file that is not there', () => {
    expect(refusal(() => readConfigFile('no-such-file.yaml')).message).toContain('no-such-file.yaml');
  });

  it('refuses not-a-number and infinity written in YAML', () => {
    for (const value of ['.nan', '.inf', '-.inf']) {
      const path = fileWith('x.yaml', `stepSize: ${value}\n`);
      expect(refusal(() => resolveConfig({ file: { path, values: readConfigFile(path) } })).message).toContain('stepSize');
    }
  });
});
