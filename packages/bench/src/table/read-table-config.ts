import { ConfigError } from '@bpc/core';
import type { z } from 'zod';
import { readConfigFile, suggest } from '../config/index.js';
import { configSchema } from '../config/schema.js';
import { type TableConfig, tableSchema } from './table-schema.js';

const lookUp = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>((node, name) => (typeof node === 'object' && node !== null ? Reflect.get(node, name) : undefined), value);

/** `overrides[2].settings.evaluation`. */
const pathName = (path: readonly PropertyKey[]): string =>
  path.map((part, i) => (typeof part === 'number' ? `[${part}]` : `${i === 0 ? '' : '.'}${String(part)}`)).join('');

const show = (value: unknown): string => {
  if (value === undefined) return 'missing';
  return typeof value === 'string' ? `'${value}'` : JSON.stringify(value);
};

/** The names that may stand where an unknown one was found. */
function namesAt(path: readonly PropertyKey[]): string[] {
  const last = path.at(-1);
  if (path.length === 0) return Object.keys(tableSchema.shape);
  if (last === 'evaluation') return Object.keys(configSchema.shape.evaluation.shape);
  if (last === 'full') return Object.keys(configSchema.shape.full.shape);
  return last === 'settings' ? Object.keys(configSchema.shape) : ['datasets', 'ipc', 'methods', 'settings', 'reason'];
}

// What the table itself decides, so that every row of a cell has the same.
const tableWide: Readonly<Record<string, string>> = {
  dataset: 'list it in datasets',
  ipc: 'list it in ipc',
  method: 'list it in methods',
  seeds: 'set seeds of the table',
  seed: 'set seed of the table',
  scoreOn: 'set scoreOn of the table',
  runtime: 'set runtime of the table, or pass --runtime',
  workers: 'set workers of the table, or pass --workers',
  threads: 'set threads of the table, or pass --threads',
};

/** The first complaint that says something: a union hides those of its members. */
function innermost(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== 'invalid_union') return issue;
  // The longest path is the member that matched best.
  const inner = issue.errors.flat().sort((a, b) => b.path.length - a.path.length)[0];
  return inner === undefined || inner.path.length === 0 ? issue : innermost({ ...inner, path: [...issue.path, ...inner.path] });
}

function refusal(path: string, found: z.core.$ZodIssue, values: unknown): ConfigError {
  const issue = innermost(found);
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0] ?? '';
    const where = pathName([...issue.path, key]);
    const remedy = issue.path.at(-1) === 'settings' ? tableWide[key] : undefined;
    if (remedy !== undefined) return new ConfigError(`'${where}' in ${path} cannot differ between the rows of a table`, remedy);
    const names = namesAt(issue.path);
    const near = suggest(key, names);
    return new ConfigError(
      `unknown option '${where}' in ${path}`,
      near === undefined ? `remove it; known names: ${names.join(', ')}` : `did you mean '${near}'?`,
    );
  }
  const value = lookUp(values, issue.path);
  const words = /^one of: (.*)$/.exec(issue.message)?.[1]?.split(', ') ?? [];
  const near = typeof value === 'string' ? suggest(value, words) : undefined;
  const name = pathName(issue.path);
  return new ConfigError(
    `'${name}' is ${show(value)} in ${path}, expected ${issue.message}`,
    near === undefined ? `set ${name} to ${issue.message}` : `did you mean '${near}'?`,
  );
}

// What every row of a cell shares: a method with an evaluation or a network of its own would not be compared but flattered.
const sharedByRows = ['evaluation', 'full', 'network', 'width', 'depth', 'preprocess'] as const;

function checkFairness(path: string, { overrides }: TableConfig): void {
  for (const [i, { methods, settings }] of overrides.entries()) {
    const own = methods === undefined ? undefined : sharedByRows.find((name) => settings[name] !== undefined);
    if (own !== undefined) {
      throw new ConfigError(
        `'overrides[${i}].settings.${own}' in ${path} is for ${methods?.join(', ')} only, expected the same for every row of a cell`,
        `leave out methods, or set ${own} for data sets and images per class`,
      );
    }
  }
}

function checkSeeds(path: string, { seeds, ipc }: TableConfig): void {
  const missing = typeof seeds === 'number' ? undefined : ipc.find((count) => seeds[String(count)] === undefined);
  if (missing !== undefined) {
    throw new ConfigError(`'seeds' in ${path} has no number for ${missing} images per class`, `add "${missing}": 3, or give one number`);
  }
}

/** Checks a table's description. @throws ConfigError naming the place, the value found, what is expected, and the remedy. */
export function parseTableConfig(values: unknown, path = 'the table'): TableConfig {
  const result = tableSchema.safeParse(values);
  const issue = result.error?.issues[0];
  if (issue !== undefined) throw refusal(path, issue, values);
  const config = tableSchema.parse(values);
  checkFairness(path, config);
  checkSeeds(path, config);
  return config;
}

/** Reads a table's file: JSON when its name ends in `.json`, else YAML. @throws ConfigError */
export const readTableConfig = (path: string): TableConfig => parseTableConfig(readConfigFile(path), path);

/** The seeds of every cell with this many images per class. */
export function seedsFor({ seeds, seed }: Pick<TableConfig, 'seeds' | 'seed'>, ipc: number): number[] {
  const count = typeof seeds === 'number' ? seeds : (seeds[String(ipc)] ?? 0);
  return Array.from({ length: count }, (_, i) => seed + i);
}
