import { type Tree, treeMap } from '@bpc/core';
import { stack } from '@tensorflow/tfjs-core';

/** Draws of a chain's steps, stacked as an estimate with explicit noise takes them. */
export function stacked<P extends Tree>(draws: readonly P[]): P {
  const [first, ...rest] = draws;
  if (first === undefined) throw new Error('a chain has at least one step');
  return treeMap((...leaves) => stack(leaves), first, ...rest);
}

/** The draws of `steps` steps, made one by one and stacked. */
export const stepNoise = <P extends Tree>(draw: (step: number) => P, steps: number): P =>
  stacked(Array.from({ length: steps }, (_, t) => draw(t)));
