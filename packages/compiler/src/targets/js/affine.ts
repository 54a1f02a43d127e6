import type { Shape } from '../../ir/index.js';
import { item, stridesOf } from '../../ir/shape.js';

/** constant + Σ coefficient·variable over loop variables, which are numbered from the outermost. */
export type Affine = { readonly constant: number; readonly terms: readonly (readonly [variable: number, coefficient: number])[] };

export const known = (constant: number): Affine => ({ constant, terms: [] });
export const loopVariable = (variable: number): Affine => ({ constant: 0, terms: [[variable, 1]] });
export const isKnown = (index: Affine): boolean => index.terms.length === 0;

/** a + scale·b */
export function addScaled(a: Affine, b: Affine, scale = 1): Affine {
  const terms = new Map(a.terms);
  for (const [variable, coefficient] of b.terms) terms.set(variable, (terms.get(variable) ?? 0) + coefficient * scale);
  return {
    constant: a.constant + b.constant * scale,
    terms: [...terms].filter(([, coefficient]) => coefficient !== 0).sort(([p], [q]) => p - q),
  };
}

/** Position of the element at `index` in row-major order; axes of length 1 do not matter. */
export function flatIndex(shape: Shape, index: readonly Affine[]): Affine {
  const strides = stridesOf(shape);
  return index.reduce((sum, each, axis) => (shape[axis] === 1 ? sum : addScaled(sum, each, item(strides, axis))), known(0));
}

/** What one step of a loop variable adds to an index. */
export const coefficientOf = ({ terms }: Affine, variable: number): number => terms.find(([v]) => v === variable)?.[1] ?? 0;

/** JavaScript for an index. */
export function printAffine({ constant, terms }: Affine): string {
  const parts = terms.map(([variable, coefficient]) => (coefficient === 1 ? `i${variable}` : `i${variable}*${coefficient}`));
  if (constant !== 0 || parts.length === 0) parts.push(String(constant));
  return parts.join('+');
}

/** Number of loops around the innermost variable used: 0 without variables. */
export const depthOf = ({ terms }: Affine): number => (terms.at(-1)?.[0] ?? -1) + 1;

/** One loop variable per axis longer than 1. */
export function loopOver(shape: Shape, first = 0): { readonly extents: number[]; readonly index: Affine[] } {
  const extents: number[] = [];
  const index = shape.map((length) => (length === 1 ? known(0) : loopVariable(first + extents.push(length) - 1)));
  return { extents, index };
}
