// Times ConvNet programs on ONNX Runtime: node packages/backend-onnx/bench/convnet.mjs [--threads 2] [--repeats 20] [--only name]
// Run `npm run build` first. Prints milliseconds, minimum and median, and what compiling took.
import { parseArgs } from 'node:util';
import { onnxRuntime } from '@bpc/backend-onnx';
import { crossEntropy, disposeTree, isTensor, key, treeMap, uniform, valueAndGrad } from '@bpc/core';
import { convNet } from '@bpc/models';
import { env, mean, mul, oneHot, setBackend, sub, tensor1d } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import * as ort from 'onnxruntime-node';

const { values: options } = parseArgs({
  options: {
    threads: { type: 'string', default: '2' },
    repeats: { type: 'string', default: '20' },
    only: { type: 'string', default: '' },
    level: { type: 'string', default: 'all' },
    profile: { type: 'string' },
  },
});
env().set('IS_NODE', false); // No advice about tfjs-node.
await setBackend('cpu');

const networks = {
  rgb: convNet({ inputShape: [32, 32, 3], outputs: 10 }),
  gray: convNet({ inputShape: [28, 28, 1], outputs: 10, width: 32 }),
};

/** Mean cross-entropy of a network. */
const energyOf = (network) => (params, images, labels) => mean(crossEntropy(network.apply(params, images), labels));
const sgd = (params, grads, rate) => treeMap((p, g) => sub(p, mul(rate, g)), params, grads);

const gradient = (network) => (params, images, labels) => valueAndGrad(energyOf(network))(params, images, labels);
const sgdStep = (network) => (params, images, labels) => {
  const { value, grad } = valueAndGrad(energyOf(network))(params, images, labels);
  return { value, params: sgd(params, grad, 0.01) };
};
const chain = (network, steps) => (params, images, labels) => {
  let state = params;
  for (let step = 0; step < steps; step++) state = sgd(state, valueAndGrad(energyOf(network))(state, images, labels).grad, 0.01);
  return state;
};

const cases = [
  ['gradient, W128 32x32x3, batch 10', networks.rgb, 10, gradient(networks.rgb)],
  ['gradient, W128 32x32x3, batch 100', networks.rgb, 100, gradient(networks.rgb)],
  ['gradient, W32 28x28x1, batch 10', networks.gray, 10, gradient(networks.gray)],
  ['gradient, W32 28x28x1, batch 256', networks.gray, 256, gradient(networks.gray)],
  ['gradient, W32 28x28x1, batch 16', networks.gray, 16, gradient(networks.gray)],
  ['gradient, W32 28x28x1, batch 32', networks.gray, 32, gradient(networks.gray)],
  ['SGD step, W32 28x28x1, batch 256', networks.gray, 256, sgdStep(networks.gray)],
  ['10 SGD steps, W32 28x28x1, batch 10', networks.gray, 10, chain(networks.gray, 10)],
];

const median = (sorted) => sorted[sorted.length >> 1];
for (const [name, network, batch, fn] of cases) {
  if (!name.includes(options.only)) continue;
  const runtime = await onnxRuntime({
    ort,
    threads: Number(options.threads),
    graphOptimizationLevel: options.level,
    ...(options.profile === undefined ? {} : { profile: options.profile }),
  });
  const program = runtime.compile(fn);
  const params = network.init(key(0));
  const images = uniform(key(1), [batch, ...network.inputShape]);
  const labels = oneHot(
    tensor1d(
      [...Array(batch).keys()].map((i) => i % 10),
      'int32',
    ),
    10,
    1,
    0,
    'float32',
  );
  const start = performance.now();
  await program.prepare(params, images, labels);
  const compiling = performance.now() - start;
  const times = [];
  for (let repeat = -3; repeat < Number(options.repeats); repeat++) {
    const from = performance.now();
    const result = await program(params, images, labels);
    if (repeat >= 0) times.push(performance.now() - from);
    disposeTree(isTensor(result) ? result : { ...result });
  }
  times.sort((a, b) => a - b);
  console.log(
    `${name.padEnd(38)} min ${times[0].toFixed(2).padStart(7)}  median ${median(times).toFixed(2).padStart(7)} ms   compiled in ${compiling.toFixed(0)} ms`,
  );
  await runtime.dispose();
}
