import type { FlatDensity, FlatMapping } from '@bpc/core';
import { ConfigError, flattenHost, type HostTree, hostArray, hostUniform, type Key, NonFiniteError } from '@bpc/core';
import type { ParameterTree } from '../transforms/parameter.js';
import { isParameter, unconstrainedLike, unconstrainTree } from '../transforms/parameter-tree.js';
import { sizeOf } from '../transforms/support.js';
import type { Layout } from './layout.js';

/** Draws of a start before a chain gives up; Stan's number. */
const TRIES = 100;

/** Half width of the box of starts around 0, unconstrained; Stan's. */
const REACH = 2;

/** A list is one start per chain, unless the tree is one parameter alone, whose value may be a list itself. */
function isPerChain(parameters: ParameterTree, start: unknown): start is readonly HostTree[] {
  if (!Array.isArray(start)) return false;
  if (!isParameter(parameters)) return true;
  const [first]: readonly unknown[] = start;
  const rank =
    typeof first === 'number' ? 0 : first === undefined ? -1 : hostArray(first as Parameters<typeof hostArray>[0], 'start[0]').shape.length;
  return rank === parameters.shape.length;
}

/**
 * The unconstrained starts that a user gives, one per chain; undefined if he gives none.
 *
 * @throws ConfigError or ShapeError if values are off their supports, of another shape, or for another number of chains.
 */
export function givenStarts(parameters: ParameterTree, start: unknown, chains: number): readonly Float64Array[] | undefined {
  if (start === undefined) return undefined;
  const like = unconstrainedLike(parameters);
  // What is no host tree is refused leaf by leaf.
  const flat = (values: unknown): Float64Array => flattenHost(unconstrainTree(parameters, values as HostTree), like);
  if (!isPerChain(parameters, start)) {
    const position = flat(start);
    return Array.from({ length: chains }, () => position);
  }
  if (start.length !== chains) {
    throw new ConfigError(`start has values for ${start.length} chains, expected ${chains}`, 'give one start for all, or one per chain');
  }
  return start.map(flat);
}

/** Where a chain starts. */
export interface Start {
  readonly position: Float64Array;
  /** Positions that were tried, this one included. */
  readonly tries: number;
}

/** What `findStart` looks for a start with. */
export interface StartOptions {
  readonly density: FlatDensity;
  readonly mapping: FlatMapping;
  readonly layout: Layout;
  readonly chain: number;
  /** The key of try i. */
  readonly key: (i: number) => Key;
  /** A start to use as it is. */
  readonly given: Float64Array | undefined;
}

const bad = (x: number): string => (Number.isNaN(x) ? 'NaN' : 'infinite');

/** `'sigma' (2 of 3 NaN)` for each part of a vector that is not finite. */
function badParts(values: Float64Array, parts: readonly { readonly name: string; readonly shape: readonly number[] }[]): string[] {
  let offset = 0;
  return parts.flatMap(({ name, shape }) => {
    const length = sizeOf(shape);
    const part = values.subarray(offset, offset + length);
    offset += length;
    const found = part.filter((x) => !Number.isFinite(x));
    const [first] = found;
    if (first === undefined) return [];
    return [`'${name}' (${length === 1 ? bad(first) : `${found.length} of ${length}, the first ${bad(first)}`})`];
  });
}

/** Variables whose values a message shows. */
const SHOWN = 5;

/** `mu = 1.25, s = [0.1, 0.9]`: where a density was evaluated, so that its author can do it, too. */
function shownValues(outputs: Float64Array, variables: Layout['variables']): string {
  const parameters = variables.filter(({ kind }) => kind === 'parameter');
  const list = parameters.slice(0, SHOWN).map(({ name, shape, offset, length }) => {
    const numbers = Array.from(outputs.subarray(offset, offset + Math.min(length, SHOWN)), (x) => String(Number(x.toPrecision(4))));
    return `${name} = ${shape.length === 0 ? numbers.join() : `[${numbers.join(', ')}${length > SHOWN ? ', …' : ''}]`}`;
  });
  return `${list.join(', ')}${parameters.length > SHOWN ? ', …' : ''}`;
}

/** What is wrong at a position, in words. */
async function complaint(
  value: number,
  position: Float64Array,
  gradient: Float64Array,
  { layout, mapping }: StartOptions,
): Promise<string> {
  const outputs = new Float64Array(mapping.outputSize);
  await mapping.evaluate(position, outputs);
  // Rows of outputs are in the mapping's order, not the author's.
  const laidOut = [...layout.variables].sort((a, b) => a.offset - b.offset);
  const values = badParts(outputs, laidOut);
  const gradients = badParts(gradient, layout.unconstrained);
  const what = [
    ...(Number.isFinite(value) ? [] : [`the log density is ${value}`]),
    ...(gradients.length === 0 ? [] : [`its gradient is not finite for ${gradients.join(', ')}`]),
    ...(values.length === 0 ? [] : [`values are not finite for ${values.join(', ')}`]),
  ].join('; ');
  return `${what}; it is evaluated at ${shownValues(outputs, layout.variables)}`;
}

/**
 * Where a chain starts: the given position, or up to 100 draws of U(−2, 2) for every unconstrained number (Stan's choice) until
 * the log density and its gradient are finite.
 *
 * A region of log density −∞ is no mistake: it costs tries only.
 *
 * @throws NonFiniteError if there is no such position, naming the parameters whose values or gradients are not finite.
 */
export async function findStart(options: StartOptions): Promise<Start> {
  const { density, chain, key, given } = options;
  const position = new Float64Array(density.size);
  const gradient = new Float64Array(density.size);
  const most = given === undefined ? TRIES : 1;
  let value = Number.NaN;
  for (let i = 0; i < most; i++) {
    if (given !== undefined) position.set(given);
    else hostUniform(key(i), density.size).forEach((u, k) => void (position[k] = (2 * u - 1) * REACH));
    value = await density.evaluate(position, gradient);
    if (Number.isFinite(value) && gradient.every(Number.isFinite)) return { position, tries: i + 1 };
  }
  const what = await complaint(value, position, gradient, options);
  throw new NonFiniteError(
    given === undefined
      ? `chain ${chain} found no start in ${TRIES} tries from U(−${REACH}, ${REACH}) on the unconstrained space; at the last one ${what}`
      : `chain ${chain} cannot start where it is told: ${what}`,
    0,
    'pass start: values where the log density is finite, check supports and data for NaN, and rescale parameters that are far from 1',
  );
}
