import { foldIn, hostInteger, hostUniform, type Key, key } from '@bpc/core';
import type { Overrides } from '../config/index.js';
import type { Dimension, SearchSpace } from './spaces.js';

/** A number for a name, so that a setting keeps its draws when others join or leave the space (FNV-1a). */
function stream(name: string): number {
  let hash = 0x811c9dc5;
  for (const letter of name) hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return hash;
}

function drawValue(own: Key, dimension: Dimension): unknown {
  if (dimension.kind === 'choice') return dimension.values[hostInteger(own, dimension.values.length)];
  const [low, high] = dimension.range;
  const [position = 0] = hostUniform(own, 1);
  return Number((low * (high / low) ** position).toPrecision(2));
}

/** The settings of trial `index` that differ from the method's own; trial 0 has none, so that a search never ends below its start. */
export function drawTrial(space: SearchSpace, seed: number, index: number): Overrides {
  if (index === 0) return {};
  const own = foldIn(key(seed), index);
  return Object.fromEntries(space.map((dimension) => [dimension.name, drawValue(foldIn(own, stream(dimension.name)), dimension)]));
}

/** The part of a space that is still open: what somebody has set is not searched. */
export const openSpace = (space: SearchSpace, given: Overrides): SearchSpace => space.filter(({ name }) => given[name] === undefined);
