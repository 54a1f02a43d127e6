import { onnxRuntime } from '@bpc/backend-onnx';
import { jsRuntime } from '@bpc/compiler';
import { crossEntropy, type HostTree, isTensor, key, type Network, type Tree, treeEntries, uniform, valueAndGrad } from '@bpc/core';
import { type ConvNetParams, convNet } from '@bpc/models';
import { mean, oneHot, type Scalar, setBackend, type Tensor, tensor1d } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import * as ort from 'onnxruntime-node';
import { beforeAll, describe, expect, it } from 'vitest';

beforeAll(() => setBackend('cpu'));

type Case = { readonly name: string; readonly network: Network<ConvNetParams>; readonly batch: number };

const CASES: readonly Case[] = [
  { name: 'ConvNet D3 W128, 32×32×3', network: convNet({ inputShape: [32, 32, 3], outputs: 10 }), batch: 4 },
  { name: 'ConvNet D3 W128, 28×28×1', network: convNet({ inputShape: [28, 28, 1], outputs: 10 }), batch: 4 },
  { name: 'ConvNet D4 W128, 64×64×3', network: convNet({ inputShape: [64, 64, 3], outputs: 10, depth: 4 }), batch: 1 },
  { name: 'ConvNet D3 W32 with max pooling', network: convNet({ inputShape: [32, 32, 3], outputs: 10, width: 32, pool: 'max' }), batch: 8 },
];

const hostOf = (tree: Tree): HostTree =>
  isTensor(tree)
    ? { data: Float64Array.from(tree.dataSync()), shape: tree.shape }
    : Object.fromEntries(Object.entries(tree).map(([name, value]) => [name, hostOf(value)]));

/** Gradients in float64, one flat array per tensor, in the order of `treeEntries`. */
async function reference(energy: Energy, params: ConvNetParams, x: Tensor, y: Tensor): Promise<readonly Float64Array[]> {
  const runtime = jsRuntime();
  try {
    const like = hostOf(params);
    const density = await runtime.density((p: ConvNetParams, data: Data) => energy(p, data.x, data.y), like, hostOf({ x, y }));
    const gradient = new Float64Array(density.size);
    await density.evaluate(density.flatten(like), gradient);
    let start = 0;
    return treeEntries(params).map(([, { size }]) => {
      start += size;
      return gradient.subarray(start - size, start);
    });
  } finally {
    await runtime.dispose();
  }
}

type Data = { readonly x: Tensor; readonly y: Tensor };
type Energy = (params: ConvNetParams, x: Tensor, y: Tensor) => Scalar;

const norm = (values: Float64Array): number => Math.sqrt(values.reduce((total, value) => total + value * value, 0));

/** ‖found − exact‖ / ‖exact‖ per tensor; of tensors that are exactly zero, ‖found‖. */
async function errors({ network, batch }: Case, options: { readonly precise?: boolean }): Promise<Record<string, number>> {
  const energy: Energy = (p, images, labels) => mean(crossEntropy(network.apply(p, images), labels));
  const params = network.init(key(0));
  const x = uniform(key(1), [batch, ...network.inputShape]);
  const labels = tensor1d(
    Array.from({ length: batch }, (_, i) => i % 10),
    'int32',
  );
  const y = oneHot(labels, 10, 1, 0, 'float32');
  const runtime = await onnxRuntime({ ort, threads: 1, ...options });
  try {
    const { grad } = await runtime.compile((p: ConvNetParams, images: Tensor, targets: Tensor) => valueAndGrad(energy)(p, images, targets))(
      params,
      x,
      y,
    );
    const exact = await reference(energy, params, x, y);
    return Object.fromEntries(
      treeEntries(grad).map(([path, tensor], i) => {
        const expected = exact[i] ?? new Float64Array(0);
        const difference = Float64Array.from(tensor.dataSync(), (value, j) => value - (expected[j] ?? NaN));
        return [path, norm(expected) === 0 ? norm(difference) : norm(difference) / norm(expected)];
      }),
    );
  } finally {
    await runtime.dispose();
  }
}

describe('gradients of a network', () => {
  it.each(CASES)('are within 1e-5 of float64: $name', async (each) => {
    for (const [path, error] of Object.entries(await errors(each, {}))) expect(error, path).toBeLessThanOrEqual(1e-5);
  });

  it('are closer where convolutions are to be precise', async () => {
    const [each] = CASES;
    if (each === undefined) throw new RangeError('no case');
    const [fast, precise] = [await errors(each, {}), await errors(each, { precise: true })];
    const worst = (found: Record<string, number>) => Math.max(...Object.values(found));
    expect(worst(precise)).toBeLessThan(worst(fast));
    expect(worst(precise)).toBeLessThanOrEqual(4e-6);
  });
});
