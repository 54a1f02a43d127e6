import type { FlatMapping } from '@bpc/core';
import type { Variable } from '../draws.js';
import type { ParameterTree } from '../transforms/parameter.js';
import { isParameter, parameterEntries } from '../transforms/parameter-tree.js';
import { sizeOf } from '../transforms/support.js';

/** A reported quantity and where its numbers stand in a row. */
export interface LaidOut extends Variable {
  readonly offset: number;
  readonly length: number;
}

/** What a row of draws consists of. Plain data. */
export interface Layout {
  /** Numbers of an unconstrained position. */
  readonly size: number;
  /** Numbers of a row of values: all variables. */
  readonly outputSize: number;
  /** Parameters as their author ordered them, then derived quantities by name. */
  readonly variables: readonly LaidOut[];
  /** What an unconstrained position consists of, in its order: sorted by name. */
  readonly unconstrained: readonly { readonly name: string; readonly shape: readonly number[] }[];
}

/** Paths of a parameter tree in the author's order. */
function authoredPaths(parameters: ParameterTree, prefix = ''): string[] {
  if (isParameter(parameters)) return [prefix === '' ? 'value' : prefix];
  return Object.entries(parameters).flatMap(([name, child]) => authoredPaths(child, prefix === '' ? name : `${prefix}/${name}`));
}

/** Names, shapes and places from a parameter tree and the outputs of its mapping. */
export function makeLayout(parameters: ParameterTree, { outputs, outputSize }: Pick<FlatMapping, 'outputs' | 'outputSize'>): Layout {
  const own = authoredPaths(parameters);
  let offset = 0;
  const places = new Map<string, Omit<LaidOut, 'kind'>>();
  for (const { path, shape } of outputs) {
    const length = sizeOf(shape);
    places.set(path, { name: path, shape, offset, length });
    offset += length;
  }
  const derived = [...places.keys()].filter((path) => !own.includes(path));
  const unconstrained = parameterEntries(parameters).map(([path, { unconstrainedShape }]) => ({
    name: path === '' ? 'value' : path,
    shape: unconstrainedShape,
  }));
  const variables = (names: readonly string[], kind: Variable['kind']): LaidOut[] =>
    names.flatMap((name) => {
      const place = places.get(name);
      return place === undefined ? [] : [{ ...place, kind }];
    });
  return {
    size: unconstrained.reduce((sum, { shape }) => sum + sizeOf(shape), 0),
    outputSize,
    variables: [...variables(own, 'parameter'), ...variables(derived, 'derived')],
    unconstrained,
  };
}
