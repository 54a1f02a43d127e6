import { disposeTree, isTensor, type Tree, treeLeaves } from '@bpc/core';
import { dispose, type Scalar, scalar } from '@tensorflow/tfjs-core';
import { treeOfFlat } from './tensor-position.js';

/** A state keeps its position under this name; everything else is the algorithm's own. */
export type AlgorithmState = { readonly position: Tree };

/** The state of an algorithm that a warm-up can tune. */
export type TunableState = AlgorithmState & { readonly stepSize: Scalar; readonly inverseMass: Tree };

/** Whether a warm-up can tune an algorithm: step size and inverse mass are in its state, and it reports acceptance. */
export function isTunable(like: AlgorithmState, statistics: readonly string[]): like is TunableState {
  return (
    statistics.includes('acceptance') && 'stepSize' in like && isTensor(like.stepSize) && 'inverseMass' in like && like.inverseMass !== null
  );
}

/** Whether the inverse mass is a variance per number of the position, and no matrix. */
export function hasVariances({ position, inverseMass }: TunableState): boolean {
  const shapes = (tree: Tree) =>
    treeLeaves(tree)
      .map(({ shape }) => `[${shape}]`)
      .join();
  return shapes(inverseMass) === shapes(position);
}

/** The state with another step size. Takes `state`. */
export function withStepSize(state: TunableState, stepSize: number): TunableState {
  dispose(state.stepSize);
  return { ...state, stepSize: scalar(stepSize) };
}

/** The state with other variances. Takes `state`. */
export function withVariances(state: TunableState, variances: Float64Array): TunableState {
  disposeTree(state.inverseMass);
  return { ...state, inverseMass: treeOfFlat(state.position, variances) };
}
