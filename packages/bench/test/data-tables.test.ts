import { getTable, type Manifest, parseManifest, shippedManifest, type Table, type TableTest, type TableTrain } from '@bpc/bench';
import { ChecksumError, ConfigError, hostPermutation, key, ShapeError, StorageError } from '@bpc/core';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { parseLibsvm } from '../src/data/tables/parse-libsvm.js';
import { bytesOf, dataFolderWith, listed } from './data-archives.js';

interface MiniatureTable {
  readonly task: 'binary' | 'classes' | 'regression';
  readonly classNames: readonly string[];
  readonly splits: { readonly train: number; readonly validation: number; readonly test: number };
  readonly syntax: unknown;
  readonly files: Readonly<Record<string, readonly [name: string, text: string]>>;
  readonly rows: number;
  readonly test: number;
}

const SEED = 3;
const order = (rows: number): number[] => Array.from(hostPermutation(key(SEED), rows));

function manifestOf({ files, rows, test, syntax, ...rest }: MiniatureTable): Manifest {
  const layout = {
    sources: [],
    syntax,
    files: Object.fromEntries(Object.entries(files).map(([role, [name, text]]) => [role, listed(name, bytesOf(text))])),
  };
  const division = {
    kind: 'shuffled',
    seed: SEED,
    validation: rest.splits.validation,
    test,
    sha256: listed('', bytesOf(order(rows).join(','))).sha256,
  };
  return parseManifest({
    version: 1,
    datasets: {},
    tables: { tiny: { ...rest, title: 'Tiny', licence: 'none', division, layouts: [layout] } },
  });
}

const load = (table: MiniatureTable, options: { readonly standardise?: boolean } = {}): Promise<Table> =>
  getTable('tiny', {
    ...options,
    offline: true,
    manifest: manifestOf(table),
    dataDir: dataFolderWith(Object.fromEntries(Object.values(table.files).map(([name, text]) => [`tiny/${name}`, bytesOf(text)]))),
  });

const width = ({ columns }: Table): number => columns.length;
const column = (table: Table, name: string, role: 'train' | 'validation' | 'test' = 'train'): number[] => {
  const j = table.columns.indexOf(name);
  return Array.from({ length: table[role].count }, (_, i) => table[role].features[i * width(table) + j] ?? Number.NaN);
};

const rows = ['1, red, 0, yes', '2, blue, 1, no', '4, red, 1, yes', '8, green, 0, no', '16, red, 0, yes', '32, violet, 1, no'];
const words: MiniatureTable = {
  task: 'binary',
  classNames: ['no', 'yes'],
  splits: { train: 4, validation: 1, test: 1 },
  rows: 6,
  test: 1,
  files: { table: ['tiny.csv', `id, colour, flag, class\n${rows.join('\n')}\n\n`] },
  syntax: {
    kind: 'delimited',
    separator: ',',
    skip: 1,
    columns: ['size', 'colour', 'flag', 'class'],
    target: 'class',
    categories: ['colour'],
    classes: [
      ['no', 'no.'],
      ['yes', 'yes.'],
    ],
  },
};
const withText = (table: MiniatureTable, text: string, role = 'table'): MiniatureTable => ({
  ...table,
  files: { ...table.files, [role]: [table.files[role]?.[0] ?? role, text] },
});

describe('a table of values between commas', () => {
  const [test = 0, validation = 0, ...rest] = order(6);
  const train = rest.sort((a, b) => a - b);
  const cell = (row: number, c: number): string => rows[row]?.split(',')[c]?.trim() ?? '';

  it('is divided by the seeded permutation', async () => {
    const table = await load(words, { standardise: false });
    expect(column(table, 'size')).toEqual(train.map((i) => 2 ** i));
    expect(column(table, 'size', 'validation')).toEqual([2 ** validation]);
    expect(column(table, 'size', 'test')).toEqual([2 ** test]);
    expect(Array.from(table.train.targets)).toEqual(train.map((i) => (cell(i, 3) === 'yes' ? 1 : 0)));
  });

  it('has one indicator per category of the training rows; a category of other rows is 0 in all', async () => {
    const table = await load(words, { standardise: false });
    const colours = [...new Set(train.map((i) => cell(i, 1)))].sort();
    expect(table.columns).toEqual(['size', ...colours.map((colour) => `colour=${colour}`), 'flag']);
    for (const colour of colours) expect(column(table, `colour=${colour}`)).toEqual(train.map((i) => (cell(i, 1) === colour ? 1 : 0)));
    expect(column(table, `colour=${colours[0]}`, 'test')).toEqual([cell(test, 1) === colours[0] ? 1 : 0]);
  });

  it('is scaled by the moments of the training rows alone, indicators not at all', async () => {
    const table = await load(words);
    const sizes = train.map((i) => 2 ** i);
    const mean = sizes.reduce((a, b) => a + b, 0) / 4;
    const std = Math.sqrt(sizes.reduce((a, b) => a + (b - mean) ** 2, 0) / 4);
    expect(column(table, 'size')[2]).toBeCloseTo((4 * 0 + (sizes[2] ?? 0) - mean) / std, 12);
    expect(column(table, 'size', 'test')[0]).toBeCloseTo((2 ** test - mean) / std, 12);
    expect([table.scaling.mean[0], table.scaling.std[0]]).toEqual([mean, std]);
    expect(column(table, 'flag')).toEqual(train.map((i) => Number(cell(i, 2))));
    expect(Array.from(table.scaling.std.subarray(1))).toEqual(new Array(width(table) - 1).fill(1));
  });

  it.each([
    [
      'a row that is cut off',
      `header\n${rows.slice(0, 5).join('\n')}\n32, vio`,
      ShapeError,
      /row 6 of .*tiny\.csv has 2 values, expected 4/,
    ],
    [
      'a word in a column of numbers',
      `header\n${rows.join('\n').replace('8,', 'eight,')}`,
      ShapeError,
      /row 4 .* has 'eight' in column size/,
    ],
    ['a missing number', `header\n${rows.join('\n').replace('8,', ',')}`, ShapeError, /row 4 .* has '' in column size/],
    [
      'an unknown class',
      `header\n${rows.join('\n').replace('1, no', '1, maybe')}`,
      ShapeError,
      /row 2 .* has the class 'maybe', expected one of: no, no\., yes/,
    ],
  ] as const)('%s is refused, and the place named', async (_, text, type, message) => {
    const attempt = load(withText(words, text));
    await expect(attempt).rejects.toThrow(type);
    await expect(attempt).rejects.toThrow(message);
  });

  it('with a row less is refused, and with another permutation, too', async () => {
    await expect(load(withText(words, `header\n${rows.slice(1).join('\n')}`))).rejects.toThrow(ChecksumError);
    await expect(load({ ...words, splits: { train: 5, validation: 1, test: 1 } })).rejects.toThrow(/4 train rows .*expected 5/);
  });
});

describe('a table with test rows of its own', () => {
  const own: MiniatureTable = {
    ...words,
    splits: { train: 5, validation: 1, test: 2 },
    test: 0,
    files: { ...words.files, testTable: ['tiny-test.csv', 'header\n100, red, 0, yes.\n200, black, 1, no.\n'] },
  };

  it('takes them as they are, and validation from the others', async () => {
    const table = await load(own, { standardise: false });
    expect(column(table, 'size', 'test')).toEqual([100, 200]);
    expect(Array.from(table.test.targets)).toEqual([1, 0]);
    expect(column(table, 'colour=red', 'test')).toEqual([1, 0]);
    expect(table.columns).not.toContain('colour=black');
    expect([...column(table, 'size'), ...column(table, 'size', 'validation')].sort((a, b) => a - b)).toEqual([1, 2, 4, 8, 16, 32]);
  });
});

describe('an ARFF file', () => {
  it('is read after its declarations, comments and a closing control-Z', async () => {
    const arff = `% a comment\n@relation tiny\n\n@attribute a {-1,0,1}\n@attribute Result {-1,1}\n@data\n-1,1\n0,-1\n1,1\n1,-1\n0,1\n-1,-1\n\u001a`;
    const table = await load(
      {
        ...words,
        files: { table: ['tiny.arff', arff] },
        syntax: { kind: 'delimited', separator: ',', columns: ['a', 'Result'], target: 'Result', classes: [['-1'], ['1']] },
      },
      { standardise: false },
    );
    const [test = 0, validation = 0] = order(6);
    const rest = [0, 1, 2, 3, 4, 5].filter((i) => i !== test && i !== validation);
    expect(column(table, 'a')).toEqual(rest.map((i) => [-1, 0, 1, 1, 0, -1][i]));
    expect(Array.from(table.train.targets)).toEqual(rest.map((i) => (i % 2 === 0 ? 1 : 0)));
  });
});

describe('a regression with its targets in a file of their own', () => {
  const regression: MiniatureTable = {
    ...words,
    task: 'regression',
    classNames: [],
    files: { table: ['x.csv', '1  10\n2 20\n3 30\n4 40\n5 50\n6 60\n'], targets: ['y.csv', '1.5e+00\n2.5\n3.5\n4.5\n5.5\n6.5\n'] },
    syntax: { kind: 'delimited', separator: ' ', columns: ['a', 'b'], target: 'y' },
  };

  it('keeps rows and targets together', async () => {
    const { train } = await load(regression, { standardise: false });
    for (let i = 0; i < train.count; i++) expect(train.targets[i]).toBe((train.features[2 * i] ?? 0) + 0.5);
  });

  it('refuses another number of targets', async () => {
    await expect(load(withText(regression, '1\n2\n', 'targets'))).rejects.toThrow(/6 rows and 2 targets/);
  });
});

describe('a sparse table', () => {
  const parse = (text: string) => parseLibsvm(text, 'my.libsvm', { kind: 'libsvm', features: 4 });

  it('has 0 where nothing is listed, and classes by the sign', () => {
    const { columns, targets } = parse('+1 1:1 4:0.5 \n-1 2:2\n0\n1 3:-1e-3\n');
    expect(columns.map(({ values }) => Array.from<number | string>(values))).toEqual([
      [1, 0, 0, 0],
      [0, 2, 0, 0],
      [0, 0, 0, -0.001],
      [0.5, 0, 0, 0],
    ]);
    expect(Array.from(targets)).toEqual([1, 0, 0, 1]);
  });

  it.each([
    ['an index beyond the features', '1 5:1', /line 1 of my\.libsvm has the index '5', expected 1 … 4/],
    ['an index of 0', '1 1:1\n1 0:1', /line 2 .*index '0'/],
    ['a pair without value', '1 2:', /has '2:', expected index:value/],
    ['a word as label', 'yes 2:1', /starts with 'yes', expected a label/],
  ])('%s is refused', (_, text, message) => {
    expect(() => parse(text)).toThrow(ShapeError);
    expect(() => parse(text)).toThrow(message);
  });
});

describe('the tables of the package', () => {
  it.each([
    ['breast_cancer', 'binary', [343, 113, 113], 30],
    ['diabetes', 'regression', [266, 88, 88], 10],
    ['wine', 'classes', [108, 35, 35], 13],
    ['iris', 'classes', [90, 30, 30], 4],
  ] as const)('%s needs no folder and no network', async (name, task, counts, columns) => {
    const table = await getTable(name, { offline: true, cacheDir: '/nowhere' });
    expect([table.train.count, table.validation.count, table.test.count]).toEqual(counts);
    expect([table.task, table.columns.length]).toEqual([task, columns]);
    expect(table.train.features).toHaveLength(table.train.count * columns);
    expect(table.train.features.every(Number.isFinite)).toBe(true);
    const classes = task === 'regression' ? [] : [...new Set(table.train.targets)].sort();
    expect(classes).toEqual(table.classNames.map((_, c) => c));
  });

  it('have every row in exactly one split', async () => {
    const table = await getTable('iris', { standardise: false });
    const all = [table.train, table.validation, table.test].flatMap(({ features, targets, count }) =>
      Array.from({ length: count }, (_, i) => [...features.subarray(4 * i, 4 * i + 4), targets[i]].join()),
    );
    expect(all).toHaveLength(150);
    // Two of the 150 flowers are alike, as published.
    expect(new Set(all).size).toBe(149);
  });

  it('have splits of different types: test rows enter no learning', async () => {
    const table = await getTable('iris');
    const learn = (split: TableTrain): number => split.count;
    expectTypeOf(table.test).toEqualTypeOf<TableTest>();
    expectTypeOf(table.test).not.toExtend<TableTrain>();
    expect(learn(table.train)).toBe(90);
    // @ts-expect-error: the test split is not for learning
    learn(table.test);
  });

  it('say what to do when one is unknown, is not here, or is no table', async () => {
    await expect(getTable('irises')).rejects.toThrow(/table is 'irises', expected one of: breast_cancer/);
    await expect(getTable('cifar10')).rejects.toThrow(/this one has images: use getDataset/);
    await expect(getTable('toString')).rejects.toThrow(ConfigError);
    const attempt = getTable('magic04', { dataDir: dataFolderWith({}), cacheDir: '/nowhere' });
    await expect(attempt).rejects.toThrow(StorageError);
    await expect(attempt).rejects.toThrow(/magic04\.data .*'magic04'.*--data, BPC_DATA/);
    expect(Object.keys(shippedManifest().tables)).toHaveLength(10);
  });
});
