import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeSafetensors, encodeSafetensors, type SafetensorsEntry } from '@bpc/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../src/cli/run-cli.js';
import { methodNames, presetNames } from '../src/config/index.js';
import { methodTraits } from '../src/methods/index.js';

const newFolder = () => mkdtempSync(join(tmpdir(), 'bpc-cli-'));

async function bpc(...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  let stdout = '';
  const stderr: string[] = [];
  const code = await runCli(args, {
    stdout: (text) => {
      stdout += text;
    },
    stderr: (line) => stderr.push(line),
  });
  return { code, stdout, stderr: stderr.join('\n') };
}

/** A run of a few seconds: a small mlp on digits, in this thread. */
const tiny = [
  '--dataset',
  'digits',
  '--network',
  'mlp',
  '--width',
  '8',
  '--depth',
  '1',
  '--runtime',
  'js',
  '--workers',
  '0',
  '--quiet',
  '--experts',
  '1',
  '--expert-epochs',
  '1',
  '--expert-images',
  '64',
  '--inner-steps',
  '2',
  '--seeds',
  '1',
  '--augment',
  'none',
  '--evaluation-steps',
  '5',
  '--evaluation-chains',
  '2',
  '--full-epochs',
  '1',
];

function withFile(name: string, content: string | Uint8Array): string {
  const path = join(newFolder(), name);
  writeFileSync(path, content);
  return path;
}

const f32 = (shape: readonly number[], value = 0.5): SafetensorsEntry => ({
  dtype: 'F32',
  shape,
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(value),
});
/** Ten points whose labels are classes 0 to 8. */
const nineClasses = Float32Array.from({ length: 100 }, (_, i) => Number(i % 10 === Math.min(8, Math.floor(i / 10))));
const coresetFile = (changes: Readonly<Record<string, SafetensorsEntry>> = {}) =>
  withFile('coreset.safetensors', encodeSafetensors({ x: f32([10, 8, 8, 1]), y: f32([10, 10], 0.1), weights: f32([10], 1), ...changes }));

describe('bad input ends with exit code 2, the problem and a remedy, before anything is written', () => {
  const cases: readonly [what: string, args: () => readonly string[], mentions: readonly string[]][] = [
    ['an unknown command', () => ['lern'], ['lern']],
    ['no command', () => [], []],
    ['a missing sub-command', () => ['data'], ['sub-command', '--help']],
    ['an unknown option', () => ['learn', '--stepz', '3'], ['--stepz']],
    ['an option without its value', () => ['learn', '--steps'], ['--steps']],
    ['an unknown data set', () => ['learn', '--dataset', 'mnits'], ["'mnits'", 'mnist']],
    ['an unknown data set to fetch', () => ['data', 'get', 'nope'], ['nope']],
    ['an unknown method', () => ['learn', '--method', 'magic'], ["'magic'", 'bpc-cd']],
    [
      'a real batch larger than the training set',
      () => ['learn', '--dataset', 'digits', '--method', 'bpc-rkl', '--real-batch', '100000'],
      ['realBatch is 100000', 'training images', '--real-batch'],
    ],
    ['no epochs ahead for a method that needs them', () => ['learn', '--method', 'bpc-w', '--epochs-ahead', '0'], ['epochsAhead', 'bpc-w']],
    ['a preset of another method', () => ['learn', '--method', 'psvi', '--preset', 'paper-bpc-w'], ['paper-bpc-w', 'psvi']],
    ['an unknown preset', () => ['learn', '--preset', 'paper-cd'], ["'paper-cd'", 'paper-bpc-cd']],
    ['an unknown runtime', () => ['learn', '--dataset', 'digits', '--runtime', 'onnx:cpux'], ["'onnx:cpux'", 'onnx:cpu']],
    [
      'a runtime that is not installed',
      () => ['learn', '--dataset', 'digits', '--runtime', 'tfjs:tensorflow'],
      ['@tensorflow/tfjs-node', 'npm install'],
    ],
    ['an unknown bench', () => ['bench', 'nope'], ["'nope'"]],
    ['ipc 0', () => ['learn', '--ipc', '0'], ['--ipc', '0']],
    ['ipc -1', () => ['learn', '--ipc', '-1'], ['--ipc', '-1']],
    ['ipc 1.5', () => ['learn', '--ipc', '1.5'], ['--ipc', '1.5']],
    ['ipc larger than the class', () => ['learn', '--dataset', 'digits', '--ipc', '5000'], ['ipc is 5000', 'training images']],
    ['a step size that is no number', () => ['learn', '--step-size', 'NaN'], ['--step-size', 'NaN']],
    ['an infinite step size', () => ['learn', '--step-size', 'Infinity'], ['--step-size', 'Infinity']],
    ['a negative temperature', () => ['learn', '--temperature', '-1'], ['--temperature', '-1']],
    ['a negative learning rate', () => ['learn', '--image-learning-rate', '-5'], ['--image-learning-rate', '-5']],
    ['a network that does not fit the images', () => ['learn', '--dataset', 'digits', '--depth', '9'], ['depth is 9']],
    ['a config file that is no JSON', () => ['learn', '--config', withFile('c.json', '{"ipc": 1,\n oops}')], ['c.json', 'line 2']],
    [
      'a config file that is no YAML',
      () => ['learn', '--config', withFile('c.yaml', 'ipc: 1\nsteps: [1\nseed: 2\n')],
      ['c.yaml', 'line 3'],
    ],
    ['a config file with an unknown key', () => ['learn', '--config', withFile('c.yaml', 'ipcs: 1\n')], ["'ipcs'", "'ipc'"]],
    ['a config file that is not there', () => ['learn', '--config', 'nowhere.yaml'], ['nowhere.yaml']],
    ['an output folder that is a file', () => ['learn', '--dataset', 'digits', '--out', withFile('taken', 'x')], ['is a file', '--out']],
    [
      'an output folder with foreign files',
      () => ['learn', '--dataset', 'digits', '--out', join(withFile('x', 'x'), '..')],
      ['not empty', '--out'],
    ],
    ['an output folder that cannot be made', () => ['learn', '--dataset', 'digits', '--out', '/proc/bpc-out'], ['/proc/bpc-out']],
    ['a data folder that is not there', () => ['learn', '--data', '/nowhere'], ['/nowhere']],
    ['no coreset file', () => ['evaluate', '--dataset', 'digits'], ['--coreset']],
    ['a missing coreset file', () => ['evaluate', '--dataset', 'digits', '--coreset', 'nowhere.safetensors'], ['nowhere.safetensors']],
    [
      'a coreset that is no safetensors',
      () => ['evaluate', '--dataset', 'digits', '--coreset', withFile('c.safetensors', 'hello, I am text')],
      ['safetensors'],
    ],
    [
      'a coreset of another shape',
      () => ['evaluate', '--dataset', 'digits', '--coreset', coresetFile({ x: f32([10, 9, 8, 1]) })],
      ['9,8,1', '8,8,1'],
    ],
    [
      'a colour coreset of a grayscale data set',
      () => ['evaluate', '--dataset', 'digits', '--coreset', coresetFile({ x: f32([10, 8, 8, 3]) })],
      ['3 channels (colour), expected 1 channel (grayscale)', '[8,8,3], not [8,8,1]', '--dataset'],
    ],
    [
      'a coreset with a class missing',
      () => ['evaluate', '--dataset', 'digits', '--coreset', coresetFile({ y: { dtype: 'F32', shape: [10, 10], data: nineClasses } })],
      ['coreset.safetensors', 'no point has label 9', 'add a point of that class'],
    ],
    [
      'a coreset of another dtype',
      () => [
        'evaluate',
        '--dataset',
        'digits',
        '--coreset',
        coresetFile({ weights: { dtype: 'I32', shape: [10], data: new Int32Array(10) } }),
      ],
      ['I32', 'F32'],
    ],
    [
      'a coreset of another class count',
      () => ['evaluate', '--dataset', 'digits', '--coreset', coresetFile({ y: f32([10, 7]) })],
      ['7 classes', '10'],
    ],
    [
      'a coreset with NaN pixels',
      () => ['evaluate', '--dataset', 'digits', '--coreset', coresetFile({ x: f32([10, 8, 8, 1], Number.NaN) })],
      ['not finite'],
    ],
    [
      'a coreset without points',
      () => ['evaluate', '--dataset', 'digits', '--coreset', coresetFile({ x: f32([0, 8, 8, 1]), y: f32([0, 10]), weights: f32([0]) })],
      ['coreset.safetensors', 'no points'],
    ],
    [
      'a coreset whose labels are no probabilities',
      () => ['evaluate', '--dataset', 'digits', '--coreset', coresetFile({ y: f32([10, 10], 0.3) })],
      ['coreset.safetensors', "row 0 of 'y'", 'sum 3', 'probabilities'],
    ],
    [
      'a coreset without any weight',
      () => ['evaluate', '--dataset', 'digits', '--coreset', coresetFile({ weights: f32([10], 0) })],
      ['coreset.safetensors', 'all zero'],
    ],
    ['more threads than any machine has', () => ['learn', '--dataset', 'digits', '--workers', '100000'], ['--workers', '0 to 256']],
    [
      'a config file whose section is no mapping',
      () => ['learn', '--config', withFile('c.yaml', 'evaluation: 3\n')],
      ["'evaluation' in", 'a mapping of option names'],
    ],
    [
      'a posterior without a proper prior',
      () => ['learn', '--evaluation-temperature', '1e-5', '--evaluation-prior-precision', '0'],
      ['evaluation.priorPrecision is 0', 'proper prior'],
    ],
    [
      'a truncated coreset',
      () => ['evaluate', '--dataset', 'digits', '--coreset', withFile('c.safetensors', readFileSync(coresetFile()).subarray(0, 900))],
      ['truncated'],
    ],
  ];

  it.each(cases)('%s', async (_, args, mentions) => {
    const { code, stdout, stderr } = await bpc(...args());
    expect(code).toBe(2);
    expect(stdout).toBe('');
    if (mentions.length > 0) expect(stderr).toMatch(/^error: .+\nremedy: .+/);
    expect(stderr).not.toContain('    at ');
    for (const text of mentions) expect(stderr).toContain(text);
  });

  it('refuses data files that are not the published ones', async () => {
    const data = newFolder();
    mkdirSync(join(data, 'mnist'));
    for (const split of ['train', 't10k'])
      for (const kind of ['images-idx3', 'labels-idx1']) writeFileSync(join(data, 'mnist', `${split}-${kind}-ubyte`), 'torn');
    const { code, stderr } = await bpc('learn', '--data', data, '--out', join(data, 'run'));
    expect(code).toBe(2);
    expect(stderr).toContain('SHA-256');
    expect(existsSync(join(data, 'run'))).toBe(false);
  });
});

describe('help', () => {
  it.each([
    [],
    ['learn'],
    ['evaluate'],
    ['experts'],
    ['data'],
    ['data', 'get'],
    ['doctor'],
    ['bench'],
    ['presets'],
    ['tune'],
    ['tune-evaluation'],
  ])('of %s %s ends with examples and exit code 0', async (...command) => {
    const { code, stdout } = await bpc(...command, '--help');
    expect(code).toBe(0);
    expect(stdout).toMatch(/Examples:\n {2}bpc|Start here:\n {2}bpc/);
  });

  it('shows the defaults that the configuration has', async () => {
    const { stdout } = await bpc('learn', '--help');
    expect(stdout).toContain('--inner-steps <n>');
    expect(stdout).toMatch(/k, the inner steps on the coreset\s+\[10\]/);
  });
});

describe('data list', () => {
  it('prints one JSON document with --json, the embedded digits included', async () => {
    const { code, stdout } = await bpc('data', 'list', '--json');
    expect(code).toBe(0);
    const list: { name: string; found?: string }[] = JSON.parse(stdout);
    expect(list.find(({ name }) => name === 'digits')?.found).toBe('embedded');
  });
});

describe('a finished run', () => {
  const out = join(newFolder(), 'run');
  let first: Awaited<ReturnType<typeof bpc>>;

  beforeAll(async () => {
    first = await bpc('learn', ...tiny, '--steps', '4', '--out', out, '--json');
  }, 120_000);

  it('writes results, report, picture and coreset, and prints the results as one JSON document', () => {
    expect(first.stderr).toBe('');
    expect(first.code).toBe(0);
    for (const name of ['results.json', 'report.html', 'coreset.png', 'coreset.safetensors'])
      expect(existsSync(join(out, name))).toBe(true);
    const printed = JSON.parse(first.stdout);
    const { rows, environment } = JSON.parse(readFileSync(join(out, 'results.json'), 'utf8'));
    expect(printed.rows).toEqual(rows);
    expect(rows.map((row: { name: string }) => row.name)).toEqual(['random', 'nearest-mean', 'init', 'learned', 'full']);
    for (const { metrics } of rows)
      for (const metric of ['accuracy', 'nll', 'brier', 'ece']) expect(metrics[metric]).toMatchObject({ n: 1 });
    expect(Object.keys(environment.seconds)).toEqual(['experts', 'learn', 'evaluate']);
    expect(environment.peakRssMb).toBeGreaterThan(10);
    expect(environment.runtime).toBe('js');
  });

  it('calls predictions at T = 0 an ensemble, and states temperature, prior and weights', () => {
    const { rows, task } = JSON.parse(first.stdout);
    expect(rows.map((row: { inference: string }) => row.inference)).toEqual(Array(5).fill('ensemble'));
    expect(task.prediction).toBe(
      'ensemble of 2 networks (T = 0, Gaussian prior of precision 0.005, energy: mean of the weighted losses, weights 1)',
    );
    const { config: _, ...shown } = JSON.parse(first.stdout);
    expect(JSON.stringify(shown)).not.toContain('posterior');
    for (const row of rows.slice(0, 4)) expect(row.metrics.disagreementBetween.mean).toBeGreaterThan(0);
  });

  it('calls draws above T = 0 a posterior, with disagreement within and between chains, and repeats them in evaluate', async () => {
    const warm = ['--evaluation-temperature', '1e-4', '--evaluation-draws', '3', '--evaluation-thinning', '2'];
    const folder = join(newFolder(), 'run');
    const { stdout } = await bpc('learn', ...tiny, ...warm, '--steps', '4', '--out', folder, '--json');
    const { rows, task } = JSON.parse(stdout);
    expect(rows.map((row: { inference: string }) => row.inference)).toEqual([...Array(4).fill('posterior'), 'ensemble']);
    expect(task.prediction).toMatch(/^posterior: 2 chains × 3 draws \(T = 0\.0001, /);
    for (const name of ['disagreementWithin', 'disagreementBetween']) expect(rows[3].metrics[name]).toMatchObject({ n: 1 });
    const rest = ['--runtime', 'js', '--workers', '0', '--quiet', '--seeds', '1', '--evaluation-steps', '5', '--evaluation-chains', '2'];
    const again = await bpc('evaluate', ...rest, ...warm, '--coreset', join(folder, 'coreset.safetensors'), '--json');
    expect(JSON.parse(again.stdout).rows[0]).toMatchObject({ name: 'posterior', metrics: rows[3].metrics });
  }, 60_000);

  it('follows learning on validation images at five steps', () => {
    const pieces = readdirSync(join(out, 'checkpoint', 'pieces')).filter((name) => name.startsWith('curve-'));
    expect(pieces.sort()).toEqual([0, 1, 2, 3, 4].map((step) => `curve-seed0-step${step}.json`));
    expect(readFileSync(join(out, 'report.html'), 'utf8')).toContain('Validation NLL');
  });

  it('keeps what it cost when it is started again', async () => {
    const before = JSON.parse(first.stdout).environment;
    expect(Object.keys(before.threadSeconds).sort()).toEqual(['ceiling', 'controls', 'curves', 'experts', 'learn', 'learned']);
    const again = await bpc('learn', ...tiny, '--steps', '4', '--out', out, '--json');
    const { environment } = JSON.parse(again.stdout);
    expect(environment.threadSeconds).toEqual(before.threadSeconds);
    expect(environment.seconds.learn).toBe(before.seconds.learn);
    expect(environment.peakRssMb).toBeGreaterThanOrEqual(before.peakRssMb);
  }, 60_000);

  it('scores the start from nearest-mean images exactly like that control', () => {
    const { rows } = JSON.parse(first.stdout);
    expect(rows[2].metrics).toEqual(rows[1].metrics);
  });

  it('is not computed again by the same command', async () => {
    const coreset = readFileSync(join(out, 'coreset.safetensors'));
    const again = await bpc('learn', ...tiny, '--steps', '4', '--out', out, '--json');
    expect(again.code).toBe(0);
    expect(JSON.parse(again.stdout).rows).toEqual(JSON.parse(first.stdout).rows);
    expect(readFileSync(join(out, 'coreset.safetensors')).equals(coreset)).toBe(true);
  });

  it('is not resumed with other settings, which are named', async () => {
    const { code, stderr } = await bpc('learn', ...tiny, '--steps', '5', '--sigma', '0.5', '--out', out);
    expect(code).toBe(2);
    expect(stderr).toContain('steps (there 4, now 5)');
    expect(stderr).toContain('sigma (there 0.001, now 0.5)');
    expect(stderr).toContain('--out');
  });

  it('is continued with more seeds, which change nothing of the first, but not with fewer', async () => {
    const grown = join(newFolder(), 'run');
    cpSync(out, grown, { recursive: true });
    const more = await bpc('learn', ...tiny, '--steps', '4', '--seeds', '2', '--out', grown, '--json');
    expect(more.stderr).toBe('');
    const { task, rows } = JSON.parse(more.stdout);
    expect(task.seeds).toEqual([0, 1]);
    expect(rows.map((row: { metrics: { accuracy: { n: number } } }) => row.metrics.accuracy.n)).toEqual([2, 2, 2, 2, 2]);
    expect(readFileSync(join(grown, 'coreset.safetensors')).equals(readFileSync(join(out, 'coreset.safetensors')))).toBe(true);
    const fresh = join(newFolder(), 'run');
    expect((await bpc('learn', ...tiny, '--steps', '4', '--seeds', '2', '--out', fresh)).code).toBe(0);
    const second = (folder: string) => readFileSync(join(folder, 'coreset-seed1.safetensors'));
    expect(second(grown).equals(second(fresh))).toBe(true);
    // The file of another seed than the first is scored with its own.
    const rest = ['--runtime', 'js', '--workers', '0', '--quiet', '--seeds', '1', '--evaluation-steps', '5', '--evaluation-chains', '2'];
    const scored = JSON.parse((await bpc('evaluate', ...rest, '--coreset', join(grown, 'coreset-seed1.safetensors'), '--json')).stdout);
    const piece = JSON.parse(readFileSync(join(grown, 'checkpoint', 'pieces', 'score-seed1-learned.json'), 'utf8'));
    expect(scored.task.seeds).toEqual([1]);
    expect(scored.rows[0].metrics.nll.mean).toBe(piece.metrics.nll);
    const fewer = await bpc('learn', ...tiny, '--steps', '4', '--out', grown);
    expect(fewer.code).toBe(2);
    expect(fewer.stderr).toContain('seeds (there 2, now 1)');
  }, 60_000);

  it('publishes a coreset that says how to use it and that evaluate scores as the run did', async () => {
    const coreset = join(out, 'coreset.safetensors');
    const { metadata, tensors } = decodeSafetensors(new Uint8Array(readFileSync(coreset)));
    expect(tensors.get('x')?.shape).toEqual([10, 8, 8, 1]);
    expect(JSON.parse(metadata['bpc'] ?? '')).toMatchObject({
      dataset: 'digits',
      labels: 'probabilities',
      method: 'bpc-cd',
      seed: 0,
      runtime: 'js',
    });
    expect(JSON.parse(metadata['bpc'] ?? '').versions).toMatchObject({ node: process.version, '@tensorflow/tfjs-core': '4.22.0' });
    // Data set, network and seed are in the file.
    const settings = [
      '--runtime',
      'js',
      '--workers',
      '0',
      '--quiet',
      '--seeds',
      '1',
      '--evaluation-steps',
      '5',
      '--evaluation-chains',
      '2',
    ];
    const { code, stdout, stderr } = await bpc('evaluate', ...settings, '--coreset', coreset, '--json');
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(JSON.parse(stdout).rows[0].metrics).toEqual(JSON.parse(first.stdout).rows[3].metrics);
    expect(JSON.parse(stdout).rows[0].name).toBe('ensemble');
    expect(JSON.parse(stdout).task.scoredOn).toBe('test');
    const onValidation = await bpc('evaluate', ...settings, '--coreset', coreset, '--score-on', 'validation');
    expect(onValidation.stdout).toContain('on the validation split');
    expect(onValidation.stdout).not.toContain('test');
  });

  it('makes damaged files again, saying so, and names those it cannot', async () => {
    const damaged = join(newFolder(), 'run');
    cpSync(out, damaged, { recursive: true });
    const learned = join(damaged, 'checkpoint', 'seed-0', 'coreset.safetensors');
    writeFileSync(learned, readFileSync(learned).subarray(0, 500));
    const expert = join(damaged, 'checkpoint', 'experts', 'expert-000.safetensors');
    const good = readFileSync(expert);
    const bad = Buffer.from(good);
    // One weight: the file is still well-formed.
    bad.writeFloatLE(bad.readFloatLE(bad.length - 4) + 1, bad.length - 4);
    writeFileSync(expert, bad);
    const again = () => bpc('learn', ...tiny, '--steps', '4', '--out', damaged);
    expect((await again()).code).toBe(0);
    expect(readFileSync(expert).equals(good)).toBe(true);
    for (const file of [learned, join(damaged, 'coreset.safetensors')])
      expect(readFileSync(file).equals(readFileSync(join(out, 'coreset.safetensors')))).toBe(true);
    const checkpoint = join(damaged, 'checkpoint', 'seed-0', 'checkpoint.safetensors');
    for (const file of [learned, checkpoint]) writeFileSync(file, readFileSync(file).subarray(0, 500));
    const { code, stderr } = await again();
    expect(code).toBe(1);
    expect(stderr).toContain(`${checkpoint}: truncated`);
    expect(stderr).toMatch(/remedy: .*delete that file/);
  }, 60_000);

  it('leaves no half-written files', () => {
    const all = readdirSync(out, { recursive: true }).map(String);
    expect(all.filter((name) => /part|tmp|probe/.test(name))).toEqual([]);
  });
});

describe('every method', () => {
  it.each(methodNames)(
    '%s runs to a table with its controls, says where its settings come from, and scores its file alike',
    async (method) => {
      const out = join(newFolder(), 'run');
      const ahead = ['--expert-epochs', '2', '--real-batch', '32'];
      const args = ['learn', ...tiny, ...ahead, '--method', method, '--steps', '3', '--out', out];
      const { code, stdout, stderr } = await bpc(...args, '--json');
      expect(stderr).toBe('');
      expect(code).toBe(0);
      const { task, rows, config } = JSON.parse(stdout);
      expect(task).toMatchObject({ method, preset: `small-${method}`, presetOrigin: 'untuned' });
      expect(config).toMatchObject({ method, preset: `small-${method}` });
      expect(rows.map((row: { name: string }) => row.name)).toEqual(['random', 'nearest-mean', 'init', 'learned', 'full']);
      expect(rows[3].note).toContain(methodTraits[method].title);
      // The start from nearest-mean images is that control, whatever weights mean to the method.
      expect(rows[2].metrics).toEqual(rows[1].metrics);
      expect(rows[3].metrics).not.toEqual(rows[2].metrics);
      expect(String(task.prediction).includes('scaled to a mean of 1')).toBe(method === 'psvi');
      const rest = ['--runtime', 'js', '--workers', '0', '--quiet', '--seeds', '1', '--evaluation-steps', '5', '--evaluation-chains', '2'];
      const scored = await bpc('evaluate', ...rest, '--coreset', join(out, 'coreset.safetensors'), '--json');
      expect(JSON.parse(scored.stdout).rows[0].metrics).toEqual(rows[3].metrics);
      // Without --json and --quiet people are told as well.
      const told = await bpc(...args.filter((word) => word !== '--quiet'));
      expect(told.stdout).toContain(`preset small-${method}: untuned, first guesses`);
    },
    60_000,
  );
});

describe('presets', () => {
  it('are listed one per line, with where their numbers come from', async () => {
    const { code, stdout } = await bpc('presets');
    expect(code).toBe(0);
    for (const name of presetNames) expect(stdout.split('\n').filter((line) => line.startsWith(`${name} `))).toHaveLength(1);
    expect(stdout).toMatch(/small-bpc-cd .*tuned on mnist \(1, 10 per class\)/);
    expect(stdout).toMatch(/paper-bpc-w .*not run/);
    expect(JSON.parse((await bpc('presets', '--json')).stdout)).toHaveLength(presetNames.length);
  });
});

describe('a learning rate that diverges', () => {
  it('ends with exit code 1 and a remedy, and keeps the last good state', async () => {
    const out = join(newFolder(), 'run');
    const { code, stderr } = await bpc('learn', ...tiny, '--steps', '40', '--image-learning-rate', '1e38', '--momentum', '0', '--out', out);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: .*step/);
    expect(stderr).toContain('lower the learning rate');
    const { tensors } = decodeSafetensors(new Uint8Array(readFileSync(join(out, 'checkpoint', 'seed-0', 'checkpoint.safetensors'))));
    const x = tensors.get('coreset/x')?.data ?? [];
    expect(x.length).toBe(640);
    expect(Array.from(x).every(Number.isFinite)).toBe(true);
  }, 60_000);
});

describe('bpc experts', () => {
  it('trains experts that a run can share', async () => {
    const folder = join(newFolder(), 'experts');
    const expertFlags = tiny.filter((_, i) => !/evaluation|inner|augment|full/.test(tiny[i - (tiny[i]?.startsWith('--') ? 0 : 1)] ?? ''));
    const { code, stdout } = await bpc('experts', ...expertFlags, '--out', folder, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ folder, experts: 1, epochs: 1 });
    const before = readFileSync(join(folder, 'expert-000.safetensors'));
    const out = join(newFolder(), 'run');
    expect((await bpc('learn', ...tiny, '--steps', '2', '--expert-folder', folder, '--out', out)).code).toBe(0);
    expect(readFileSync(join(folder, 'expert-000.safetensors')).equals(before)).toBe(true);
    expect(existsSync(join(out, 'checkpoint', 'experts'))).toBe(false);
    const other = await bpc(
      'learn',
      ...tiny,
      '--steps',
      '2',
      '--expert-batch',
      '16',
      '--expert-folder',
      folder,
      '--out',
      join(newFolder(), 'run'),
    );
    expect(other.code).toBe(2);
    expect(other.stderr).toContain('other settings');
  }, 120_000);
});
