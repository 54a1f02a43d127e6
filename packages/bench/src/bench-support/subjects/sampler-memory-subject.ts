/** Memory of a sampler that goes on and on, draws thrown away; ends with one answer. */
import { classTargets, crossEntropy, disposeTree, key, type Tree, treeEntries } from '@bpc/core';
import { hmc, type Parameter, real, sample, sgld, type Target } from '@bpc/samplers';
import { neg, type Scalar, sum, type Tensor } from '@tensorflow/tfjs-core';
import { buildBenchNetwork } from '../bench-network.js';
import type { MemoryRecord } from '../runtime/task.js';
import type { MemorySubject, MemoryTask, SamplerMemory } from '../samplers/memory-task.js';
import { modelTarget } from '../samplers/model-target.js';
import { collectedMemory } from './collected-memory.js';
import { countedRuntime } from './counted-runtime.js';
import { runSubject, say } from './serve.js';

type Sampled = { readonly target: Target; readonly algorithm: NonNullable<Parameters<typeof sample>[0]['algorithm']> };

/** A ConvNet that takes less than a millisecond per gradient, on ten images. */
function smallNetwork(): Target {
  const inputShape = [8, 8, 1] as const;
  const network = buildBenchNetwork({ kind: 'convnet', inputShape, depth: 1, width: 4 });
  const params = network.init(key(0));
  // A target's parameters have names without slashes, a network's are nested.
  const like = treeEntries(params).map(([path, { shape }]) => [path, [...shape]] as const);
  disposeTree(params);
  const parameters: Record<string, Parameter> = Object.fromEntries(like.map(([path, shape]) => [path.replaceAll('/', '.'), real(shape)]));
  const nested = (flat: Readonly<Record<string, Tensor>>): Tree => {
    const tree: Record<string, Record<string, Tensor>> = {};
    for (const [name, leaf] of Object.entries(flat)) {
      const [block = '', own = ''] = name.split('.');
      tree[block] = { ...tree[block], [own]: leaf };
    }
    return tree;
  };
  const labels = classTargets(
    Array.from({ length: 10 }, (_, i) => i),
    10,
  );
  const y = { data: Float32Array.from(labels.dataSync()), shape: [10, 10] };
  labels.dispose();
  const pixels = Float32Array.from({ length: 640 }, (_, i) => Math.sin(i * i));
  return {
    parameters,
    data: { x: { data: pixels, shape: [10, ...inputShape] }, y },
    logDensity: (flat: never, data: never) => {
      const { x, y: targets } = data as { readonly x: Tensor; readonly y: Tensor };
      return neg(sum(crossEntropy(network.apply(nested(flat), x), targets))) as Scalar;
    },
  };
}

function sampledBy(subject: MemorySubject): Sampled {
  switch (subject) {
    case 'js nuts':
      return { target: modelTarget('eight-schools'), algorithm: 'nuts' };
    case 'js hmc':
      return {
        target: modelTarget('eight-schools'),
        algorithm: ({ logDensity }) => hmc({ logDensity, stepSize: 0.1, leapfrogSteps: 10 }),
      };
    case 'onnx:cpu sgld':
      return { target: smallNetwork(), algorithm: ({ logDensity }) => sgld({ logDensity, stepSize: 1e-5 }) };
  }
}

runSubject(async (argument) => {
  const { subject, warmup, steps } = argument as MemoryTask;
  const opened = await countedRuntime(subject.startsWith('js') ? 'js' : 'onnx:cpu');
  const { target, algorithm } = sampledBy(subject);
  const total = warmup + steps;
  const records: MemoryRecord[] = [];
  let drawn = 0;
  for await (const _ of sample({ ...target, algorithm, runtime: opened.runtime, chains: 1, warmup, draws: total, key: key(1) })) {
    drawn++;
    // A second warm-up: what is made for the first draws is no growth. The last look is before anything is disposed.
    if (drawn === warmup || drawn === total) records.push(await collectedMemory(opened));
  }
  const [warm, after] = records;
  if (warm === undefined || after === undefined) throw new Error('there were too few draws');
  say({ result: { warm, after } satisfies SamplerMemory });
  await opened.runtime.dispose();
});
