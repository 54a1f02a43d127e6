import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  contactSheet,
  headline,
  parseResults,
  type ReportAssets,
  type ResultRow,
  type Results,
  reliabilityBins,
  renderReport,
  renderTable,
  summarise,
  summariseMetrics,
  writeResults,
} from '@bpc/bench';
import { ConfigError, ShapeError, StorageError } from '@bpc/core';
import { decode } from 'fast-png';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const row = (name: string, kind: ResultRow['kind'], accuracy: number, std = 0.01): ResultRow => ({
  name,
  kind,
  metrics: { accuracy: { mean: accuracy, std, n: 3 }, nll: { mean: 0.5512, std: 0.02, n: 3 }, ece: { mean: 0.031, std: 0.004, n: 3 } },
});
const results: Results = {
  task: { dataset: 'mnist', method: 'bpc-cd', ipc: 1, network: 'ConvNet', seed: 0 },
  rows: [
    row('random', 'control', 0.565),
    row('nearest-mean', 'control', 0.785),
    row('learned', 'learned', 0.858),
    row('full', 'ceiling', 0.99),
  ],
  environment: {
    runtime: 'js',
    threads: 2,
    node: 'v20.19.0',
    versions: { '@bpc/core': '0.0.0' },
    seconds: { experts: 60.2, learn: 70.1 },
    peakRssMb: 812.4,
  },
  config: { langevin: { steps: 10, temperature: 0 } },
};
const normalisation = { mean: [0.5], std: [0.25] };

describe('contactSheet', () => {
  const two = Float32Array.of(-2, -1, 0, 1, 2, 9, 0.4, -9);

  it('undoes the normalisation, clips, enlarges without smoothing and leaves transparent gaps', () => {
    const { width, height, channels, data } = decode(contactSheet(two, { shape: [2, 2, 1], normalisation, scale: 3, gap: 1 }));
    expect([width, height, channels]).toEqual([13, 6, 2]);
    const pixel = (x: number, y: number) => [data[2 * (y * width + x)], data[2 * (y * width + x) + 1]];
    expect(pixel(0, 0)).toEqual([0, 255]);
    expect(pixel(2, 2)).toEqual([0, 255]);
    expect(pixel(3, 2)).toEqual([64, 255]);
    expect(pixel(2, 3)).toEqual([128, 255]);
    expect(pixel(5, 5)).toEqual([191, 255]);
    expect(pixel(6, 0)).toEqual([0, 0]);
    expect(pixel(7, 0)).toEqual([255, 255]);
    expect(pixel(10, 0)).toEqual([255, 255]);
    expect(pixel(7, 3)).toEqual([153, 255]);
    expect(pixel(12, 5)).toEqual([0, 255]);
  });

  it('wraps after the given columns and leaves missing places transparent', () => {
    const { width, height, data } = decode(
      contactSheet(new Float32Array(3), { shape: [1, 1, 1], normalisation, columns: 2, scale: 1, gap: 0 }),
    );
    expect([width, height]).toEqual([2, 2]);
    expect(Array.from(data)).toEqual([128, 255, 128, 255, 128, 255, 0, 0]);
  });

  it('keeps red, green and blue apart, each with its own normalisation', () => {
    const rgb = { mean: [0, 0.2, 1], std: [1, 0.4, 1] };
    const { channels, data } = decode(contactSheet(Float32Array.of(1, 0.5, -1), { shape: [1, 1, 3], normalisation: rgb, scale: 1 }));
    expect(channels).toBe(4);
    expect(Array.from(data)).toEqual([255, 102, 0, 255]);
  });

  it('stretches every image to its own range on request', () => {
    const sheet = contactSheet(Float32Array.of(-10, 30, 5, 5), { shape: [1, 2, 1], normalisation, perImage: true, scale: 1, gap: 0 });
    expect(Array.from(decode(sheet).data).filter((_, i) => i % 2 === 0)).toEqual([0, 255, 128, 128]);
  });

  it.each([
    ['part of an image', () => contactSheet(new Float32Array(5), { shape: [2, 2, 1], normalisation }), ShapeError, /5 pixel values/],
    ['no image', () => contactSheet(new Float32Array(), { shape: [2, 2, 1], normalisation }), ShapeError, /0 pixel values/],
    ['two channels', () => contactSheet(new Float32Array(2), { shape: [1, 1, 2], normalisation }), ShapeError, /2 channels/],
    ['a NaN pixel', () => contactSheet(Float32Array.of(0, Number.NaN), { shape: [1, 1, 1], normalisation }), ConfigError, /image 1 .*NaN/],
    ['no columns', () => contactSheet(two, { shape: [2, 2, 1], normalisation, columns: 0 }), ConfigError, /columns is 0/],
    [
      'the normalisation of other images',
      () => contactSheet(two.subarray(0, 3), { shape: [1, 1, 3], normalisation }),
      ConfigError,
      /1 means, expected 3/,
    ],
  ])('refuses %s', (_, run, type, message) => {
    expect(run).toThrow(type);
    expect(run).toThrow(message);
  });
});

describe('headline', () => {
  it('compares with the best control and with the ceiling', () => {
    expect(headline(results)).toBe(
      'One learned image per class reaches 85.8 % test accuracy on mnist, 7.3 points above the best control (nearest-mean, 78.5 %), and 13.2 points below the same network on all training data (99.0 %).',
    );
  });

  it('never calls validation accuracy test accuracy', () => {
    const task = { ...results.task, scoredOn: 'validation' };
    expect(headline({ ...results, task })).toContain('85.8 % validation accuracy');
    expect(headline({ ...results, task })).not.toMatch(/\btest\b/);
  });

  it('says so when learning lost, when the gap is within the spread, and when nothing was learned', () => {
    const task = { ...results.task, ipc: 10 };
    expect(headline({ task, rows: [row('random', 'control', 0.93), row('learned', 'learned', 0.9)] })).toMatch(
      /^10 learned images per class reach .*3\.0 points below the best control/,
    );
    expect(headline({ task, rows: [row('random', 'control', 0.9), row('learned', 'learned', 0.91)] })).toMatch(
      /1\.0 points above \(within the spread over seeds\)/,
    );
    expect(headline({ task, rows: [row('random', 'control', 0.9)] })).toBe('No learned coreset was evaluated on mnist.');
  });
});

describe('renderTable', () => {
  it('aligns mean ± std per row, in the units of the heading', () => {
    const lines = renderTable(results).split('\n');
    expect(lines).toHaveLength(6);
    expect(lines[0]?.trim().split(/ {2,}/)).toEqual(['Accuracy, %', 'NLL, nats', 'ECE, %', 'seeds']);
    expect(lines[4]?.trim().split(/ {2,}/)).toEqual(['learned', '85.8 ± 1.0', '0.551 ± 0.020', '3.1 ± 0.4', '3', 'learned']);
    const at = new Set(lines.filter((_, i) => i > 1).map((line) => line.indexOf('±')));
    expect(at.size).toBe(1);
  });

  it('shows a dash where a row lacks a metric', () => {
    const rows = [row('learned', 'learned', 0.9), { name: 'odd', kind: 'other' as const, metrics: {} }];
    expect(renderTable({ rows }).split('\n')[3]).toMatch(/^odd +– +– +– +– +other$/);
  });
});

describe('rows at T = 0', () => {
  const rows: ResultRow[] = [{ ...row('learned', 'learned', 0.86), inference: 'ensemble' }];

  it('are called ensemble in the table and in the report, never posterior', async () => {
    expect(renderTable({ rows }).split('\n')[2]).toMatch(/learned +ensemble$/);
    const page = await renderReport({ ...results, rows });
    expect(page).toContain('<td>ensemble</td>');
    expect(page).toMatch(/<dt>Ensemble<\/dt><dd>[^<]*no sample of a posterior/);
    expect(page).not.toContain('<dt>Posterior</dt>');
  });

  it('stay apart from posterior rows of the same report', async () => {
    const page = await renderReport({ ...results, rows: [...rows, { ...row('warm', 'other', 0.8), inference: 'posterior' }] });
    expect(page).toContain('<dt>Posterior</dt>');
    expect(page).toContain('<td>ensemble</td>');
    expect(page).toContain('<td>posterior</td>');
  });
});

describe('renderReport', () => {
  const png = contactSheet(new Float32Array(40), { shape: [2, 2, 1], normalisation });
  const assets: ReportAssets = {
    before: png,
    after: png,
    curves: [0, 1].map((seed) => ({
      seed,
      points: [0, 10, 20].map((step) => ({ step, value: -step, validationAccuracy: 0.5 + step / 100 + seed / 50 })),
    })),
    reliability: { learned: reliabilityBins(Float64Array.of(0.9, 0.1, 0.4, 0.6), [0, 0]) },
  };

  it('has every part, and no address outside the page', async () => {
    const page = await renderReport(results, assets);
    for (const part of [
      '85.8\u00a0% test accuracy',
      'Against controls',
      'Before learning',
      'After learning',
      'Validation accuracy',
      'Divergence',
      'Reliability',
      'Environment',
      'langevin.steps',
      '130.3 s',
    ]) {
      expect(page).toContain(part);
    }
    expect(page.match(/<svg /g)).toHaveLength(4);
    expect(page.match(/src="data:image\/png;base64,/g)).toHaveLength(2);
    expect(page).toContain("default-src 'none'");
    const outside = page.replaceAll(/xmlns(:xlink)?="[^"]*"/g, '').match(/https?:|\/\/[a-z]|<script|<link|@import|url\((?!#)/g);
    expect(outside).toBeNull();
  });

  it('draws with colours of the page only, so that light and dark both work', async () => {
    const svgs = (await renderReport(results, assets)).match(/<svg [\s\S]*?<\/svg>/g) ?? [];
    const drawn = svgs.join('').replaceAll(/<clipPath[\s\S]*?<\/clipPath>/g, '');
    expect(drawn).toContain('var(--learned)');
    expect(drawn.match(/#[0-9a-f]{3,8}\b|rgb\(/gi)).toBeNull();
  });

  it('escapes names that come from outside', async () => {
    const page = await renderReport(
      { ...results, rows: [row('<img src=x onerror=alert(1)>', 'learned', 0.5)], config: { '<b>': '"&' } },
      {},
    );
    expect(page).not.toMatch(/<img|<b>/);
    expect(page).toContain('&lt;img src=x');
  });

  it('names the split that was scored, everywhere', async () => {
    const page = async (scoredOn: string) => renderReport({ ...results, task: { ...results.task, scoredOn } }, {});
    expect(await page('test')).toContain('on the whole test set at once');
    const validation = await page('validation');
    expect(validation).toContain('on the whole validation set at once');
    expect(validation).toContain('are no results');
    expect(validation).not.toMatch(/\btest (accuracy|set at once)/i);
  });

  it('leaves out parts without data', async () => {
    const page = await renderReport({ ...results, rows: [] });
    expect(page).not.toContain('<svg');
    expect(page).not.toContain('Before learning');
    expect(page).toContain('No learned coreset was evaluated');
  });

  it('refuses a sheet that is no PNG', async () => {
    await expect(renderReport(results, { before: new Uint8Array(100) })).rejects.toThrow(ConfigError);
  });
});

describe('results', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bpc-report-test-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('are summarised with the population standard deviation', () => {
    expect(summarise([1, 3, 5, 7])).toEqual({ mean: 4, std: Math.sqrt(5), n: 4 });
    expect(() => summarise([])).toThrow(ConfigError);
    expect(() => summarise([1, Number.NaN])).toThrow(/NaN/);
    expect(
      summariseMetrics([
        { nll: 1, odd: undefined },
        { nll: 2, odd: 1 },
      ]),
    ).toEqual({ nll: { mean: 1.5, std: 0.5, n: 2 } });
  });

  it('are written whole and read back equal', async () => {
    const path = join(folder, 'deep', 'results.json');
    await writeResults(path, results);
    expect(parseResults(JSON.parse(readFileSync(path, 'utf8')))).toEqual(results);
    expect(readdirSync(join(folder, 'deep'))).toEqual(['results.json']);
  });

  it('that are not valid replace no file', async () => {
    const path = join(folder, 'kept.json');
    writeFileSync(path, 'before');
    const broken = { ...results, rows: [row('learned', 'learned', Number.NaN)] };
    await expect(writeResults(path, broken)).rejects.toThrow(ConfigError);
    await expect(writeResults(path, broken)).rejects.toThrow(/rows\[0\]\.metrics\.accuracy\.mean/);
    expect(readFileSync(path, 'utf8')).toBe('before');
  });

  it('cannot be written below a file: StorageError', async () => {
    writeFileSync(join(folder, 'file'), '');
    await expect(writeResults(join(folder, 'file', 'results.json'), results)).rejects.toThrow(StorageError);
  });
});
