import { ConfigError, type HostTree, hostArray, hostEntries, isTensor, ShapeError } from '@bpc/core';
import { show } from '../show.js';
import { parameterNames } from '../transforms/parameter-tree.js';

/** Deeper nesting than any data set has: an object that contains itself. */
const DEEPEST = 64;

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || ArrayBuffer.isView(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null;
};

const isShaped = (value: Readonly<Record<string, unknown>>): boolean => ArrayBuffer.isView(value['data']) && Array.isArray(value['shape']);

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'object') return `a ${value.constructor?.name ?? 'object'}`;
  return `${typeof value} ${String(value)}`;
}

/**
 * Refuses data that are no tree of host numbers.
 *
 * @throws ConfigError for tensors and other objects, ShapeError for ragged arrays and entries that are no numbers; both name
 * where.
 */
export function checkData(data: unknown, where = 'data', depth = 0): asserts data is HostTree {
  if (depth > DEEPEST) throw new ConfigError(`${where.slice(0, 80)}… is nested too deeply`, 'pass a tree that does not contain itself');
  if (isTensor(data)) {
    throw new ConfigError(`${where} is a tensor, which is float32 already`, 'pass plain or typed arrays: they stay float64');
  }
  if (isRecord(data) && !isShaped(data)) {
    for (const [name, child] of Object.entries(data)) checkData(child, `${where}.${name}`, depth + 1);
    return;
  }
  const isArray =
    Array.isArray(data) || data instanceof Float64Array || data instanceof Float32Array || data instanceof Int32Array || isRecord(data);
  if (typeof data !== 'number' && !isArray) {
    throw new ConfigError(
      `${where} is ${describe(data)}, expected numbers`,
      'pass numbers, nested arrays, Float64Array, Float32Array, Int32Array, { data, shape }, or records of them',
    );
  }
  // A shape that is given is checked before it is multiplied out.
  if (isRecord(data) && !(data['shape'] as readonly unknown[]).every((length) => Number.isSafeInteger(length) && Number(length) >= 0)) {
    throw new ShapeError(
      `${where}.shape is [${(data['shape'] as readonly unknown[]).map(show).join(', ')}], expected whole numbers`,
      'make shape and data agree',
    );
  }
  for (const [, leaf] of hostEntries(data as HostTree)) hostArray(leaf, where);
}

/**
 * Refuses what is no target, before anything is traced.
 *
 * @throws ConfigError or ShapeError, naming the field.
 */
export function checkTarget(target: object): void {
  const { parameters, logDensity, data, derived }: Readonly<Record<string, unknown>> = { ...target };
  if (parameters === undefined) throw new ConfigError('parameters are missing', 'write parameters: { mu: real(), sigma: positive() }');
  // The walk over the tree checks it, whatever it is.
  parameterNames(parameters as Parameters<typeof parameterNames>[0]);
  if (typeof logDensity !== 'function') {
    throw new ConfigError(`logDensity is ${describe(logDensity)}, expected a function`, 'write logDensity: ({ mu }, data) => …');
  }
  if (derived !== undefined && typeof derived !== 'function') {
    throw new ConfigError(`derived is ${describe(derived)}, expected a function`, 'write derived: ({ mu, z }) => ({ theta: … })');
  }
  if (data !== undefined) checkData(data);
}
