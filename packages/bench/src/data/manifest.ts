import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ConfigError } from '@bpc/core';
import { z } from 'zod';
import { divisionSchema } from './division.js';
import { tableSyntax } from './tables/table-schema.js';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const file = z.strictObject({
  name: z.string(),
  /** Length and hash of the uncompressed contents. */
  bytes: z.int().positive(),
  sha256,
});
const npmSource = z.strictObject({
  kind: z.literal('npm'),
  package: z.string(),
  version: z.string(),
  /** Of the tarball. */
  sha256,
  bytes: z.int().positive(),
  /** Folder of the files inside the tarball. */
  folder: z.string(),
});
const urlSource = z.strictObject({
  kind: z.literal('url'),
  /** Canonical address of the folder, ending with a slash. */
  base: z.string(),
  /** Name and hash of what is fetched, in the order of `files`; names ending in `.gz` are unpacked. */
  downloads: z.array(file),
});
const tarballSource = z.strictObject({
  kind: z.literal('tarball'),
  /** Canonical address of a gzipped tarball. */
  url: z.string(),
  sha256,
  bytes: z.int().positive(),
  /** Folder of the files inside the tarball. */
  folder: z.string(),
});
const source = z.discriminatedUnion('kind', [npmSource, urlSource, tarballSource]);
const fileSet = {
  /** Folders below the user's data folder that the files may be in, as archives unpack. Default: the data set's name. */
  folders: z.array(z.string()).optional(),
  /** Files by the name under which the reader knows them. */
  files: z.record(z.string(), file),
  /** Where to fetch the files, tried in this order; none for sets that only exist as a folder of the user's. */
  sources: z.array(source),
  /** The files are part of this package. */
  embedded: z.boolean().optional(),
};
const layout = z.strictObject({
  ...fileSet,
  /** Which reader understands the files. */
  format: z.enum([
    'idx',
    'csv',
    'png-strips',
    'cifar-10',
    'cifar-100',
    'svhn-mat',
    'usps-hdf5',
    'tiny-imagenet-zip',
    'tiny-imagenet-folder',
    'celeba-zip',
    'celeba-folder',
  ]),
});
const tableLayout = z.strictObject({ ...fileSet, syntax: tableSyntax });
const splits = z.strictObject({ train: z.int(), validation: z.int(), test: z.int() });
const entry = z.strictObject({
  title: z.string(),
  licence: z.string(),
  /** Home page of the data set. */
  home: z.string().optional(),
  shape: z.tuple([z.int().positive(), z.int().positive(), z.int().positive()]),
  classes: z.int().min(2),
  classNames: z.array(z.string()),
  /** Kinds of labels of sets that have several, with their class names; the first is the one of `classNames`. */
  labels: z.record(z.string(), z.array(z.string()).min(2)).optional(),
  /** Whether a mirrored image still shows its class: photographs do, digits do not. */
  mirrored: z.boolean(),
  normalisation: z.strictObject({ scale: z.number().positive(), mean: z.array(z.number()), std: z.array(z.number().positive()) }),
  splits,
  division: divisionSchema,
  /** The ways its files may come, tried in this order. */
  layouts: z.array(layout).min(1),
});
const table = z.strictObject({
  title: z.string(),
  licence: z.string(),
  home: z.string().optional(),
  task: z.enum(['binary', 'classes', 'regression']),
  /** None for a regression. */
  classNames: z.array(z.string()),
  splits,
  division: divisionSchema,
  layouts: z.array(tableLayout).min(1),
});
const softLabels = z.strictObject({
  title: z.string(),
  licence: z.string(),
  home: z.string().optional(),
  /** The data set whose test images they describe. */
  dataset: z.string(),
  count: z.int().positive(),
  classes: z.int().min(2),
  layouts: z.array(z.strictObject(fileSet)).min(1),
});
const schema = z.strictObject({
  version: z.literal(1),
  datasets: z.record(z.string(), entry),
  tables: z.record(z.string(), table).default({}),
  softLabels: z.record(z.string(), softLabels).default({}),
});

/** What is known of every data set: files and hashes, where to fetch them, normalisation, index lists of the splits. */
export type Manifest = z.infer<typeof schema>;
/** One data set of the manifest. */
export type ManifestEntry = z.infer<typeof entry>;
/** One way a data set's files may come. */
export type ManifestLayout = z.infer<typeof layout>;
/** Files that belong together, and where they are found. */
export type FileSet = Pick<ManifestLayout, 'folders' | 'files' | 'sources' | 'embedded'>;
/** One tabular data set of the manifest. */
export type TableEntry = z.infer<typeof table>;
/** One way a table's files may come. */
export type TableLayout = z.infer<typeof tableLayout>;
/** A file by its name and by length and hash of its uncompressed contents. */
export type ManifestFile = z.infer<typeof file>;
/** A place to fetch from. */
export type ManifestSource = z.infer<typeof source>;

/** Address of a file of this package's `data` folder; the same from `src` and from `dist`. */
export const embeddedFile = (name: string): string => fileURLToPath(new URL(`../../data/${name}`, import.meta.url));

let shipped: Manifest | undefined;

/** The manifest this package ships, read once. */
export function shippedManifest(): Manifest {
  shipped ??= parseManifest(JSON.parse(readFileSync(embeddedFile('manifest.json'), 'utf8')));
  return shipped;
}

/** Check a manifest of one's own. @throws ConfigError that lists what is wrong. */
export function parseManifest(value: unknown): Manifest {
  const result = schema.safeParse(value);
  if (!result.success) throw new ConfigError(`the manifest is not valid: ${z.prettifyError(result.error)}`, 'correct these fields');
  return result.data;
}

/** The entry of a data set of images. @throws ConfigError that lists the known ones. */
export function manifestEntry({ datasets, tables }: Manifest, name: string): ManifestEntry {
  return among(datasets, name, 'dataset', name in tables ? 'this one is a table: use getTable' : 'pass a known data set');
}

/** The entry of a tabular data set. @throws ConfigError that lists the known ones. */
export function tableEntry({ datasets, tables }: Manifest, name: string): TableEntry {
  return among(tables, name, 'table', name in datasets ? 'this one has images: use getDataset' : 'pass a known table');
}

function among<Entry>(entries: Readonly<Record<string, Entry>>, name: string, what: string, remedy: string): Entry {
  const found = Object.hasOwn(entries, name) ? entries[name] : undefined;
  if (found !== undefined) return found;
  throw new ConfigError(`${what} is '${name}', expected one of: ${Object.keys(entries).join(', ')}`, remedy);
}
