import type { Runtime, Tree } from '@bpc/core';
import { classTargets, crossEntropy, disposeTree, grad, gradDot, hessianVector, valueAndGrad } from '@bpc/core';
import type { ConvNetParams } from '@bpc/models';
import { convNet } from '@bpc/models';
import type { Tensor } from '@tensorflow/tfjs-core';
import { mean, memory } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { type ConvNetSpec, loadFixture } from '../../../tooling/fixtures/load.js';
import { runtimes } from './runtimes.js';

type Case = {
  readonly network: ConvNetSpec;
  readonly batch: number;
};
const fixture = loadFixture<Case>('convnet');

function program({ network: spec }: Case) {
  const network = convNet({
    inputShape: [spec.inSize, spec.inSize, spec.inChannels],
    outputs: spec.classes,
    depth: spec.depth,
    width: spec.width,
    pool: spec.pool,
    epsilon: spec.normEps,
    firstPadding: spec.firstPad,
  });
  const energy = (params: ConvNetParams, images: Tensor, labels: Tensor) => mean(crossEntropy(network.apply(params, images), labels));
  return (params: ConvNetParams, images: Tensor, labels: Tensor, v: ConvNetParams) => {
    const { value: loss, grad: gradient } = valueAndGrad(energy)(params, images, labels);
    const ofParams = (p: ConvNetParams) => energy(p, images, labels);
    return {
      logits: network.apply(params, images),
      loss,
      grad: gradient,
      grad_images: grad((x: Tensor) => energy(params, x, labels))(images),
      grad_dot_v: gradDot(ofParams)(params, v),
      hvp: hessianVector(ofParams)(params, v),
      mixed_images: grad((x: Tensor) => gradDot((p: ConvNetParams) => energy(p, x, labels))(params, v))(images),
    };
  };
}

describe.each(runtimes)('ConvNet on %s', (_, makeRuntime: () => Promise<Runtime>) => {
  it.each(Object.entries(fixture.cases))(
    'matches logits, gradients, Hessian-vector product and mixed derivative of case %s',
    async (name, spec) => {
      const runtime = await makeRuntime();
      const compiled = runtime.compile(program(spec));
      const labels = classTargets(fixture.values(`${name}/labels`), spec.network.classes);
      const inputs = [fixture.tree(`${name}/param`), fixture.tensor(`${name}/images`), labels, fixture.tree(`${name}/v`)] as never;
      const before = memory().numTensors;
      const found = await compiled(...(inputs as Parameters<ReturnType<typeof program>>));
      for (const key of ['logits', 'loss', 'grad_images', 'grad_dot_v', 'mixed_images'] as const)
        fixture.expectClose(`${name}/${key}`, found[key]);
      fixture.expectTreeClose(`${name}/grad`, found.grad);
      fixture.expectTreeClose(`${name}/hvp`, found.hvp);
      disposeTree(found as Tree);
      await compiled.dispose();
      await runtime.dispose();
      expect(memory().numTensors).toBeLessThanOrEqual(before);
    },
  );
});
