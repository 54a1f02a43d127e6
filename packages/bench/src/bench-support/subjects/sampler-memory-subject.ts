/** Memory of a sampler that goes on and on, draws thrown away; ends with one answer. */
import { classTargets, crossEntropy, disposeTree, key, type Tree, treeEntries } from '@bpc/core';
import { hmc, type Parameter, real, sample, sgld, type Target } from '@bpc/samplers';
import { neg, type Scalar, sum, type Tensor } from '@tensorflow/tfjs-core';
import { buildBenchNetwork } from '../bench-network.js';
import { median } from '../bench-result.js';
import type { MemoryRecord } from '../runtime/task.js';
import type { MemorySubject, MemoryTask, SamplerMemory } from '../samplers/memory-task.js';
import { modelTarget } from '../samplers/model-target.js';
import { collectedMemory } from './collected-memory.js';
import { countedRuntime } from './counted-runtime.js';
import { runSubject, say } from './serve.js';

/** Looks at the memory, in each half of the draws: one look sees V8's young generation anywhere between empty and full. */
const looks = 10;

/** The medians of some looks; of tensors and sessions the most. */
const typical = (records: readonly MemoryRecord[]): MemoryRecord => ({
  rssMb: median(records.map(({ rssMb }) => rssMb)),
  heapMb: median(records.map(({ heapMb }) => heapMb)),
  tensors: Math.max(...records.map(({ tensors }) => tensors)),
  sessions: Math.max(...records.map(({ sessions }) => sessions)),
});

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
  const { subject, steps } = argument as MemoryTask;
  const opened = await countedRuntime(subject.startsWith('js') ? 'js' : 'onnx:cpu');
  const { target, algorithm } = sampledBy(subject);
  const every = Math.ceil(steps / looks);
  const records: MemoryRecord[] = [];
  let drawn = 0;
  const run = { chains: 1, warmup: every, draws: 2 * looks * every, key: key(1) };
  // The last look is before anything is disposed.
  for await (const _ of sample({ ...target, ...run, algorithm, runtime: opened.runtime })) {
    if (++drawn % every === 0) records.push(await collectedMemory(opened));
  }
  say({ result: { warm: typical(records.slice(0, looks)), after: typical(records.slice(looks)) } satisfies SamplerMemory });
  await opened.runtime.dispose();
});
