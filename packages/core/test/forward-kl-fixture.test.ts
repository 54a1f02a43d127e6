import './support/backend.js';
import type { Coreset, DivergenceInput, Runtime, Tree } from '@bpc/core';
import { descentDraws, disposeTree, forwardKlEstimate, key, treeMap } from '@bpc/core';
import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import { add, mul, reshape } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { stacked } from './support/chain-noise.js';
import { fixture, model, settingsOf, storedAugmentation, storedCoreset, storedDraws } from './support/divergences-fixture.js';
import { runtimes } from './support/runtimes.js';

/** Row 0 of every leaf of a stack of one. */
const only = (tree: Tree): Tree => treeMap((leaf) => reshape(leaf, leaf.shape.slice(1)), tree);

describe.each(runtimes)('forward KL on %s', (_, makeRuntime: () => Runtime | Promise<Runtime>) => {
  it.each(['fkl', 'fkl_dsa'])('matches every stored quantity of %s, from the start of the descent on', async (name) => {
    const { draws, sigma, steps, stepSize, augment } = settingsOf(name);
    const runtime = await makeRuntime();
    const program = runtime.compile((coreset: Coreset, start: Tree, expert: Tree, eps1: Tree, eps2: Tree) => {
      const input: DivergenceInput<Tree> = {
        model: model as never,
        coreset,
        learnable: { x: true, y: false, weights: false },
        expert,
        start,
      };
      const centre = only(descentDraws({ steps, stepSize, sigma: 0 }).draw(key(0), input, 1));
      const negative = treeMap((theta, epsilon) => add(theta, mul(epsilon, sigma)), centre, eps1);
      const augmented = augment ? { ...input, augment: storedAugmentation() } : input;
      return { centre, ...forwardKlEstimate(augmented, { expert: eps2, negative }, { sigma }) } as unknown as Tree;
    });
    const coreset = storedCoreset();
    const found = (await program(
      coreset,
      fixture.tree('start') as Tree,
      fixture.tree('expert') as Tree,
      stacked(storedDraws('eps1')),
      stacked(storedDraws('eps2')),
    )) as unknown as { centre: Tree; grad: { x: Tensor }; value: Tensor; energiesPlus: Tensor1D; energiesMinus: Tensor1D };
    fixture.expectTreeClose('w/theta_S', found.centre);
    fixture.expectClose(`${name}/positive`, found.energiesPlus);
    fixture.expectClose(`${name}/negative`, found.energiesMinus);
    fixture.expectClose(`${name}/loss`, found.value);
    fixture.expectClose(`${name}/grad_images`, found.grad.x);
    expect(found.energiesPlus.shape).toEqual([draws]);
    expect(fixture.names(`${name}/`).length).toBe(4);
    // Swapped phases have the opposite gradient, which must not pass for the right one.
    expect(() => fixture.expectClose(`${name}/grad_images`, mul(found.grad.x, -1))).toThrow(/differs/);
    disposeTree(found as unknown as Tree);
    await program.dispose();
    await runtime.dispose();
  });
});
