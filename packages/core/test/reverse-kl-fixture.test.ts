import './support/backend.js';
import type { Batch, Coreset, CoresetGrad, Runtime, Tree } from '@bpc/core';
import { coresetGradient, covarianceGradient, disposeTree, perturbExpert } from '@bpc/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { neg, stack, sum } from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stacked } from './support/chain-noise.js';
import { divergenceFixture } from './support/divergence-fixture.js';
import { runtimes } from './support/runtimes.js';

const { fixture, model, coreset, real, params, noise } = divergenceFixture();
const { sigma, realTotal, draws: count } = fixture.cases['rkl'] as (typeof fixture.cases)[string];
type Params = ReturnType<typeof params>;
type Estimate = { readonly grad: CoresetGrad; readonly value: Tensor; readonly residuals: Tensor };

/** θ_S + σ ε_s, stacked. */
const storedDraws = (): Params =>
  stacked(noise('eps1').map((epsilon) => perturbExpert(params('w/theta_S'), epsilon as unknown as Params, sigma)));

describe.each(runtimes)('the covariance gradient on %s', (_, makeRuntime: () => Runtime | Promise<Runtime>) => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await makeRuntime();
  });
  afterAll(() => runtime.dispose());

  const estimate = async (reduction: 'sum' | 'mean', weighted: boolean, pointsAtOnce: number) => {
    const program = runtime.compile((c: Coreset, batch: Batch, stackedDraws: Params) => {
      const learnable = { x: true, y: false, weights: true };
      const input = { model, coreset: c, learnable, expert: params('expert'), real: batch, dataCount: realTotal };
      return covarianceGradient(input, { stacked: stackedDraws }, { reduction, pointsAtOnce }) as unknown as Tree;
    });
    const found = (await program(coreset(weighted), real(), storedDraws())) as unknown as Estimate;
    await program.dispose();
    return found;
  };

  it.each([25, 4, 3])('matches what is stored for means and for weighted sums, at most %i points at once', async (pointsAtOnce) => {
    expect(count).toBe(4);
    const means = await estimate('mean', false, pointsAtOnce);
    fixture.expectClose('rkl/residual', means.residuals);
    // The stored direction is that of ascent.
    fixture.expectClose('rkl/ascent', neg(means.grad.x as Tensor));
    const sums = await estimate('sum', true, pointsAtOnce);
    fixture.expectClose('rkl/weighted_residual', sums.residuals);
    fixture.expectClose('rkl/weighted_grad_images', sums.grad.x as Tensor);
    fixture.expectClose('rkl/weighted_grad_weights', sums.grad.weights as Tensor);
    disposeTree([means, sums] as unknown as Tree);
  });

  it('is made of the stored log likelihoods and their gradients in the images', async () => {
    const program = runtime.compile((c: Coreset, batch: Batch, draws: readonly Params[]) => {
      const columns = (b: Batch) =>
        stack(
          draws.map((theta) => model.logLikelihood(theta, b)),
          1,
        );
      const onlyX = { x: true, y: false, weights: false };
      const perDraw = draws.map((theta) => coresetGradient(c, onlyX, (points) => sum(model.logLikelihood(theta, points))).grad.x as Tensor);
      return { real: columns(batch), pseudo: columns(c), gradient: stack(perDraw, 1) };
    });
    const each = noise('eps1').map((epsilon) => perturbExpert(params('w/theta_S'), epsilon as unknown as Params, sigma));
    const found = await program(coreset(), real(), each);
    fixture.expectClose('rkl/loglik_real', found.real);
    fixture.expectClose('rkl/loglik_pseudo', found.pseudo);
    fixture.expectClose('rkl/grad_loglik_pseudo', found.gradient);
    disposeTree(found);
    await program.dispose();
  });

  it('does not match with the phases swapped', async () => {
    const { grad } = await estimate('mean', false, 25);
    expect(() => fixture.expectClose('rkl/ascent', grad.x as Tensor)).toThrow(/differs/);
    disposeTree(grad as Tree);
  });
});

it('compares everything that is stored', () => {
  const compared = ['loglik_real', 'loglik_pseudo', 'grad_loglik_pseudo', 'residual', 'ascent'];
  const weighted = ['weighted_residual', 'weighted_grad_images', 'weighted_grad_weights'];
  expect(fixture.names('rkl/').sort()).toEqual([...compared, ...weighted].map((name) => `rkl/${name}`).sort());
});
