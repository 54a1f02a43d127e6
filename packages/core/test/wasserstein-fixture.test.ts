import './support/backend.js';
import type { Coreset, Runtime, Tree } from '@bpc/core';
import { disposeTree, wassersteinEstimate } from '@bpc/core';
import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import { scalar } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { divergenceFixture } from './support/divergence-fixture.js';
import { runtimes } from './support/runtimes.js';

const { fixture, model, coreset, params, augment } = divergenceFixture();

describe.each(runtimes)('the Wasserstein estimate on %s', (_, makeRuntime: () => Runtime | Promise<Runtime>) => {
  it.each(['w', 'w_dsa'] as const)('matches every stored quantity of %s, whatever the size of chunks', async (name) => {
    const { steps, stepSize, augment: augmented } = fixture.cases[name] as (typeof fixture.cases)[string];
    const runtime = await makeRuntime();
    for (const pointsAtOnce of augmented === true ? [3] : [25, 3]) {
      const program = runtime.compile((c: Coreset, expert: ReturnType<typeof params>, start: ReturnType<typeof params>, size: Scalar) => {
        const input = {
          model,
          coreset: c,
          learnable: { x: true, y: false, weights: false },
          expert,
          start,
          ...(augmented === true && { augment: augment(1) }),
        };
        return wassersteinEstimate(input, { steps, stepSize: size, pointsAtOnce }) as unknown as Tree;
      });
      const found = (await program(coreset(), params('expert'), params('start'), scalar(stepSize))) as unknown as {
        readonly grad: { readonly x: Tensor };
        readonly value: Tensor;
        readonly squaredDistance: Tensor;
        readonly stepSizeGradient: Tensor;
        readonly end: Tree;
      };
      const compared: Readonly<Record<string, Tensor>> = {
        loss: found.value,
        squared_distance: found.squaredDistance,
        grad_images: found.grad.x,
        grad_step_size: found.stepSizeGradient,
      };
      const names = fixture.names(`${name}/`).filter((entry) => !entry.startsWith(`${name}/theta_S/`));
      expect(names.length).toBe(4);
      for (const entry of names) fixture.expectClose(entry, compared[entry.slice(name.length + 1)] as Tensor);
      fixture.expectTreeClose(`${name}/theta_S`, found.end);
      disposeTree(found as unknown as Tree);
      await program.dispose();
    }
    await runtime.dispose();
  });
});
