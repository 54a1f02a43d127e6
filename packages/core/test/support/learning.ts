import './backend.js';
import type { Coreset, LearnOptions, Tree } from '@bpc/core';
import { adam, disposeTree, eagerRuntime, key, learn } from '@bpc/core';
import { tensor1d, tensor2d } from '@tensorflow/tfjs-core';
import { noisyPull } from './quadratic.js';

export const runtime = eagerRuntime();
export const coreset: Coreset = {
  x: tensor2d([
    [1, -1, 0],
    [3, 2, 1],
  ]),
  y: tensor2d([
    [1, 0],
    [0, 1],
  ]),
  weights: tensor1d([1, 2]),
};
/** A short, quick run; `more` overrides. */
export const options = (more: object = {}): LearnOptions<Tree> => ({
  objective: noisyPull() as never,
  coreset,
  optimizer: adam({ learningRate: 0.05 }),
  runtime,
  steps: 20,
  key: key(3),
  learnable: { x: true, weights: true },
  ...more,
});
/** All numbers of a coreset. */
export const bits = async (c: Coreset) => [...(await c.x.data()), ...(await c.y.data()), ...(await c.weights.data())];
/** Numbers of the coreset that a run ends with. */
export const finalBits = async (more: object = {}) => {
  const result = await learn(options(more)).collect();
  const out = await bits(result);
  disposeTree(result);
  return out;
};
