import '@tensorflow/tfjs-backend-cpu';
import { crossEntropy, disposeTree, grad, gradDot, hessianVector, valueAndGrad } from '@bpc/core';
import type { ConvNetParams } from '@bpc/models';
import { convNet } from '@bpc/models';
import type { Tensor } from '@tensorflow/tfjs-core';
import { mean, memory, oneHot, setBackend } from '@tensorflow/tfjs-core';
import * as ort from 'onnxruntime-node';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadFixture } from '../../../tooling/fixtures/load.js';
import { onnxRuntime } from '../src/index.js';

type Case = {
  readonly network: {
    inChannels: number;
    inSize: number;
    width: number;
    depth: number;
    classes: number;
    firstPad: number;
    normEps: number;
    pool: 'avg' | 'max';
  };
};
const fixture = loadFixture<Case>('convnet');

beforeAll(async () => {
  await setBackend('cpu');
});

function energyOf({ network: spec }: Case, width = spec.width) {
  const network = convNet({
    inputShape: [spec.inSize, spec.inSize, spec.inChannels],
    outputs: spec.classes,
    depth: spec.depth,
    width,
    pool: spec.pool,
    epsilon: spec.normEps,
    firstPadding: spec.firstPad,
  });
  return {
    network,
    energy: (params: ConvNetParams, images: Tensor, labels: Tensor) => mean(crossEntropy(network.apply(params, images), labels)),
  };
}

describe('ConvNet on ONNX Runtime', () => {
  it.each(Object.entries(fixture.cases))(
    'matches logits, gradients, Hessian-vector product and mixed derivative of case %s',
    async (name, spec) => {
      const { network, energy } = energyOf(spec);
      const runtime = await onnxRuntime({ ort, threads: 1 });
      const before = memory().numTensors;
      const compiled = runtime.compile((params: ConvNetParams, images: Tensor, labels: Tensor, v: ConvNetParams) => {
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
      });
      const labels = oneHot(fixture.tensor(`${name}/labels`) as never, spec.network.classes, 1, 0, 'float32');
      const inputs = [fixture.tree(`${name}/param`), fixture.tensor(`${name}/images`), labels, fixture.tree(`${name}/v`)] as never;
      const found = await compiled(...(inputs as Parameters<typeof compiled>));
      for (const key of ['logits', 'loss', 'grad_images', 'grad_dot_v', 'mixed_images'] as const)
        fixture.expectClose(`${name}/${key}`, found[key]);
      fixture.expectTreeClose(`${name}/grad`, found.grad);
      fixture.expectTreeClose(`${name}/hvp`, found.hvp);
      disposeTree(found);
      await runtime.dispose();
      expect(memory().numTensors).toBeGreaterThanOrEqual(before);
    },
  );
});
