import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkImagesFit, getDataset, initialCoreset, preprocess, toFloat } from '@bpc/bench';
import { readMetadata, ShapeError } from '@bpc/core';
import { decode } from 'fast-png';
import { describe, expect, it, onTestFinished } from 'vitest';
import { runCli } from '../src/cli/run-cli.js';
import { temporaryFolder } from './data-helpers.js';

async function bpc(...args: readonly string[]) {
  let stdout = '';
  const stderr: string[] = [];
  const code = await runCli(args, { stdout: (text) => (stdout += text), stderr: (line) => stderr.push(line) });
  return { code, stdout, stderr: stderr.join('\n') };
}

/** The cache of a test, so that none writes into the user's. */
function ownCache(): string {
  const [folder, before] = [temporaryFolder(), process.env['BPC_CACHE']];
  process.env['BPC_CACHE'] = folder;
  onTestFinished(() => {
    if (before === undefined) delete process.env['BPC_CACHE'];
    else process.env['BPC_CACHE'] = before;
  });
  return folder;
}

const tiny = '--network mlp --width 8 --depth 1 --runtime js --workers 0 --quiet --experts 1 --expert-epochs 1 --expert-images 64'.split(
  ' ',
);
const short = '--steps 2 --inner-steps 2 --seeds 1 --augment none --evaluation-steps 5 --evaluation-chains 2 --full-epochs 1'.split(' ');

describe('bpc data', () => {
  it('lists images, tables and soft labels with memory and whereabouts', async () => {
    const { code, stdout } = await bpc('data', 'list');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^digits +8×8×1 +10 +1197 +300 +300 +0\.1 MB +embedded$/m);
    expect(stdout).toMatch(/^celeba .* 2490\.3 MB/m);
    expect(stdout).toMatch(/^a9a +binary +29305 +3256 +16281 +embedded$/m);
    expect(stdout).toMatch(/^cifar10h +soft labels /m);
  });

  it('gets a table as it gets images', async () => {
    const { code, stdout } = await bpc('data', 'get', 'wine');
    expect(code).toBe(0);
    expect(stdout).toContain('wine: 108 training, 35 validation and 35 test rows, every file verified');
  });

  it('says which files and folder are wanted where nothing has them, with exit code 2', async () => {
    ownCache();
    const { code, stderr } = await bpc('data', 'get', 'usps', '--data', temporaryFolder());
    expect(code).toBe(2);
    expect(stderr).toMatch(/usps are not on this machine .*no registry or address has them/);
    expect(stderr).toMatch(/put usps\.h5 .*'usps'.*--data, BPC_DATA/);
  });

  it('shows a data set: a contact sheet with a class per row, and what there is to know', async () => {
    const out = join(temporaryFolder(), 'digits.png');
    const { code, stdout } = await bpc('data', 'show', 'digits', '--out', out);
    expect(code).toBe(0);
    for (const line of [
      /licence +CC BY 4\.0/,
      /8×8×1, 1197 to learn from/,
      /memory +0\.1 MB/,
      /found in +.*digits\.csv\.gz/,
      /augmentation +color_crop_cutout_scale_rotate$/m,
    ])
      expect(stdout).toMatch(line);
    const sheet = decode(readFileSync(out));
    // Ten rows of ten images of 8 × 8 pixels, with gaps.
    expect(sheet.width).toBe(sheet.height);
    const { train } = await getDataset('digits');
    const first = train.labels.indexOf(3);
    const scale = (sheet.width - 9 * 4) / 80;
    const at = (y: number, x: number) => sheet.data[((3 * (8 * scale + 4) + y * scale) * sheet.width + x * scale) * sheet.channels];
    for (const [y, x] of [
      [2, 3],
      [4, 4],
      [6, 2],
    ] as const)
      expect(Math.abs((at(y, x) ?? 0) - (255 * (train.images[first * 64 + y * 8 + x] ?? 0)) / 16)).toBeLessThan(1);
  });

  it('shows no labels that a set does not have', async () => {
    const { code, stderr } = await bpc('data', 'show', 'digits', '--labels', 'coarse');
    expect(code).toBe(2);
    expect(stderr).toMatch(/labels is 'coarse' for digits, which has one kind of labels only/);
  });
});

describe('--preprocess zca', () => {
  it('is fitted once, remembered by the coreset file and used by bpc evaluate', async () => {
    const cache = ownCache();
    const out = join(temporaryFolder(), 'run');
    const learned = await bpc('learn', '--dataset', 'digits', '--preprocess', 'zca', ...tiny, ...short, '--out', out);
    expect(learned.code).toBe(0);
    expect(existsSync(join(cache, 'zca'))).toBe(true);
    const metadata = readMetadata(new Uint8Array(readFileSync(join(out, 'coreset.safetensors'))));
    expect(metadata['config']).toMatchObject({ preprocess: 'zca' });
    expect(metadata['normalisation']).toMatchObject({ mean: [0], whitening: { kind: 'zca', regularisation: 0.1, divisor: 'count-1' } });
    const evaluate = (...args: readonly string[]) =>
      bpc('evaluate', '--coreset', join(out, 'coreset.safetensors'), '--runtime', 'js', '--workers', '0', '--quiet', '--json', ...args);
    const score = async (...args: readonly string[]) => JSON.parse((await evaluate(...args)).stdout).rows[0].metrics.nll.mean;
    const remembered = await score('--evaluation-steps', '5', '--evaluation-chains', '2');
    expect(remembered).toBe(await score('--evaluation-steps', '5', '--evaluation-chains', '2', '--preprocess', 'zca'));
    expect(remembered).not.toBe(await score('--evaluation-steps', '5', '--evaluation-chains', '2', '--preprocess', 'standardise'));
  });

  it('starts from whitened images, those that toFloat gives', async () => {
    ownCache();
    const white = await preprocess(await getDataset('digits'), 'zca');
    const start = initialCoreset(white, { init: 'random', ipc: 1, seed: 0, labels: 'probabilities' });
    const all = toFloat(white.train, { start: 0, end: white.train.count }, white.normalisation);
    const found = Float32Array.from(start.x.dataSync());
    for (let i = 0; i < 10; i++) {
      const image = found.slice(64 * i, 64 * i + 64);
      const nearest = Math.min(
        ...Array.from({ length: white.train.count }, (_, n) =>
          white.train.labels[n] === i ? image.reduce((sum, x, p) => sum + (x - (all[64 * n + p] ?? 0)) ** 2, 0) : Number.POSITIVE_INFINITY,
        ),
      );
      expect(nearest).toBeLessThan(1e-8);
    }
  });

  it('is refused by its name if it is another', async () => {
    const { code, stderr } = await bpc('learn', '--dataset', 'digits', '--preprocess', 'zac');
    expect(code).toBe(2);
    expect(stderr).toMatch(/--preprocess is 'zac', expected one of: standardise, zca, standardise-zca/);
  });
});

describe('images and networks', () => {
  it('must fit: grayscale images are refused by a colour network, with both shapes', () => {
    expect(() => checkImagesFit([28, 28, 1], { inputShape: [28, 28, 3] })).toThrow(ShapeError);
    expect(() => checkImagesFit([28, 28, 1], { inputShape: [32, 32, 3] })).toThrow(
      /28 × 28 × 1, grayscale, the network takes 32 × 32 × 3, colour/,
    );
    expect(() => checkImagesFit([32, 32, 3], { inputShape: [32, 32, 3] })).not.toThrow();
  });
});
