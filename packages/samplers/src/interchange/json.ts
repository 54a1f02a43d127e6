import type { Draws } from '../draws.js';
import { arraysOf, badDraws, drawsOf, FORMAT, parseRecord, recordOf, type StoredArray, VERSION } from './draws-record.js';

/** JSON has no words for what is not finite: strings that numpy and `Number` both understand. Minus zero keeps its sign. */
function numberText(value: number): string {
  if (!Number.isFinite(value)) return `"${value}"`;
  return Object.is(value, -0) ? '-0.0' : String(value);
}

/** Nested lists in C order. */
function nestedText({ shape, data }: StoredArray, axis = 0, start = 0, size = data.length): string {
  if (axis === shape.length) return numberText(data[start] ?? Number.NaN);
  const length = shape[axis] ?? 0;
  const width = length === 0 ? 0 : size / length;
  return `[${Array.from({ length }, (_, i) => nestedText({ shape, data }, axis + 1, start + i * width, width)).join()}]`;
}

function blockText(draws: Draws): string {
  const arrays = new Map(arraysOf(draws));
  const group = (prefix: string, names: readonly string[]) =>
    `{${names.map((name) => `${JSON.stringify(name)}:${nestedText(arrays.get(prefix + name) ?? { shape: [0], data: new Float64Array(0) })}`).join()}}`;
  const fields = [
    `"record":${JSON.stringify(recordOf(draws))}`,
    `"values":${group(
      'values/',
      draws.variables.map(({ name }) => name),
    )}`,
    `"statistics":${group('statistics/', Object.keys(draws.statistics))}`,
    `"unconstrained":${nestedText(arrays.get('unconstrained') ?? { shape: [0], data: new Float64Array(0) })}`,
    ...(draws.warmup === undefined ? [] : [`"warmup":${blockText(draws.warmup)}`]),
  ];
  return `{${fields.join()}}`;
}

/**
 * The draws as JSON: `draws.values.theta[chain][draw]…` and so on, so that `arviz.from_dict(posterior=file["draws"]["values"])`
 * works. `fromJson` reads back the same bits; NaN and infinities are strings. Many times as long as `toSafetensors`.
 *
 * @example
 * ```ts
 * import { type Draws, fromJson, toJson } from '@bpc/samplers';
 * const copy = (draws: Draws): Draws => fromJson(toJson(draws));
 * ```
 */
export const toJson = (draws: Draws): string => `{"format":"${FORMAT}","version":${VERSION},"draws":${blockText(draws)}}`;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Numbers of nested lists, whose shape is that of their first entries; ragged ones are refused. */
function parseNested(value: unknown, name: string, rank: number): StoredArray {
  const shape: number[] = [];
  for (let level: unknown = value; Array.isArray(level) && shape.length < rank; level = level[0]) shape.push(level.length);
  // An empty list hides the sizes behind it: they are 0 to all effects.
  while (shape.length < rank && shape.includes(0)) shape.push(0);
  const data = new Float64Array(shape.reduce((a, b) => a * b, 1));
  let filled = 0;
  const fill = (level: unknown, axis: number): void => {
    if (axis < shape.length) {
      if (!Array.isArray(level) || level.length !== shape[axis]) throw badDraws(`'${name}' is no list of shape [${shape}]`);
      for (const each of level) fill(each, axis + 1);
      return;
    }
    const number = typeof level === 'number' || /^(?:NaN|-?Infinity)$/.test(String(level)) ? Number(level) : undefined;
    if (number === undefined) throw badDraws(`'${name}' has ${JSON.stringify(level)}, expected a number`);
    data[filled++] = number;
  };
  fill(value, 0);
  return { shape, data };
}

function parseBlock(value: unknown, warmup?: Draws): Draws {
  if (!isObject(value)) throw badDraws("'draws' is no JSON object");
  const record = parseRecord(value['record']);
  const ranks = new Map(record.variables.map(({ name, shape }) => [`values/${name}`, 2 + shape.length]));
  const array = (path: string): StoredArray | undefined => {
    const [, group = path, name] = /^(values|statistics)\/(.*)$/s.exec(path) ?? [];
    const container = value[group];
    const found = name === undefined ? container : isObject(container) ? container[name] : undefined;
    if (found === undefined) return undefined;
    return parseNested(found, path, name === undefined ? 3 : (ranks.get(path) ?? 2));
  };
  return drawsOf(record, array, warmup);
}

/** The draws in a text of `toJson`. @throws CheckpointError if it is no such text, incomplete, or of a later version. */
export function fromJson(text: string): Draws {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch (cause) {
    throw badDraws('the text is no JSON', cause);
  }
  if (!isObject(file) || file['format'] !== FORMAT) throw badDraws(`the text has no format '${FORMAT}'`);
  if (file['version'] !== VERSION) throw badDraws(`the text has version ${String(file['version'])}, expected ${VERSION}`);
  const { draws } = file;
  const warmup = isObject(draws) && draws['warmup'] !== undefined ? parseBlock(draws['warmup']) : undefined;
  return parseBlock(draws, warmup);
}
