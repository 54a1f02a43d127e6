import './support/backend.js';
import { adam, applyUpdates, ConfigError, disposeTree, perPart, scope, sgd, type Tree } from '@bpc/core';
import { optimizerConformance } from '@bpc/core/testing';
import { scalar, type Tensor, tensor1d } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';

const values = (tree: Tree) => Array.from((tree as Tensor).dataSync());

describe('an optimiser for each part', () => {
  optimizerConformance({
    name: 'per-part',
    optimizer: perPart({ a: sgd({ learningRate: 0.1, momentum: 0.5 }), list: adam({ learningRate: 0.1 }) }),
    it,
  });

  it('moves every part exactly as its own optimiser alone would, and keeps their states apart', () => {
    const own = { x: sgd({ learningRate: 10, momentum: 0.5 }), weights: adam({ learningRate: 0.01 }) };
    const optimizer = perPart(own);
    let params = { x: tensor1d([1, 2]) as Tensor, weights: scalar(3) as Tensor };
    let state = optimizer.init(params);
    let alone = { x: params.x as Tree, weights: params.weights as Tree };
    let states: Record<string, Tree> = { x: own.x.init(params.x), weights: own.weights.init(params.weights) };
    for (let step = 1; step <= 3; step++) {
      const grads = { x: tensor1d([0.1 * step, -1]) as Tensor, weights: scalar(step) as Tensor };
      const update = scope(() => optimizer.update(grads, state, params));
      params = applyUpdates(params, update.updates);
      state = update.state;
      for (const part of ['x', 'weights'] as const) {
        const single = scope(() => own[part].update<Tree>(grads[part], states[part] as readonly Tree[], alone[part]));
        alone = { ...alone, [part]: applyUpdates<Tree>(alone[part], single.updates) };
        states = { ...states, [part]: single.state };
        expect(values(params[part])).toEqual(values(alone[part]));
      }
    }
    expect(Object.keys(state)).toEqual(['x', 'weights']);
    disposeTree([params, state]);
  });

  it('refuses a part that has no optimiser, also one named like a method of objects, and leaves out those that are not learned', () => {
    const optimizer = perPart({ x: sgd({ learningRate: 1 }), weights: sgd({ learningRate: 1 }) });
    expect(() => optimizer.init({ y: scalar(1) })).toThrow(ConfigError);
    expect(() => optimizer.init({ y: scalar(1) })).toThrow(/'y' has no optimiser, expected one of x, weights/);
    expect(() => optimizer.init({ toString: scalar(1) } as never)).toThrow(/'toString' has no optimiser/);
    expect(() => optimizer.init([scalar(1)])).toThrow(/without names/);
    expect(Object.keys(optimizer.init({ x: scalar(1) }))).toEqual(['x']);
  });
});
