/** Our side of `bpc bench divergences`: turns of `learn` itself, from drawing an expert to checking the updated coreset. */
import {
  applyAugmentation,
  augmentationInputs,
  type BatchSource,
  type Coreset,
  classTargets,
  cloneTree,
  crossEntropyEnergy,
  type DivergenceInput,
  foldIn,
  hostInteger,
  key,
  learn,
  type Model,
  normal,
  parseAugmentation,
  type Runtime,
  sampled,
  sgd,
  supervised,
  type Tree,
} from '@bpc/core';
import { ones, type Tensor, type Tensor1D } from '@tensorflow/tfjs-core';
import { givenAugmentation } from '../augmentation-entries.js';
import { buildBenchNetwork } from '../bench-network.js';
import { divergenceOf } from '../divergences/divergence-of.js';
import { estimateOf, type GivenNoise } from '../divergences/estimate-of.js';
import type { DivergenceTask } from '../divergences/task.js';
import type { EvaluationFiles } from '../task.js';
import { openSubject } from './open-subject.js';
import { drawsOf, readInputs, runSubject, say, serve, tensorOf, treeOf, writeOutputs } from './serve.js';

const modelOf = ({ network }: DivergenceTask): Model<Tree> =>
  supervised({ network: buildBenchNetwork(network), energy: crossEntropyEnergy() });

const labelled = (labels: ArrayLike<number>, x: Tensor) => ({ x, y: classTargets(labels, 10) });
const cycling = (count: number) => Array.from({ length: count }, (_, i) => i % 10);

const learnableOf = ({ method }: DivergenceTask) => ({ x: true, y: false, weights: method === 'psvi' });

/** Random images, of which each batch has others. */
function realImages({ settings, network }: DivergenceTask): BatchSource {
  const { realBatch, dataCount } = settings;
  const pool = Array.from({ length: 4 }, (_, i) => normal(foldIn(key(4), i), [realBatch, ...network.inputShape]));
  const [first] = pool;
  if (first === undefined) throw new Error('no images');
  return {
    count: dataCount,
    draw: async (k) => cloneTree(labelled(cycling(realBatch), pool[hostInteger(k, pool.length)] ?? first)),
  };
}

/** Milliseconds of the next turn. */
function turns(task: DivergenceTask, runtime: Runtime): () => Promise<number> {
  const model = modelOf(task);
  const divergence = divergenceOf(task);
  const snapshots = Array.from({ length: 2 * task.experts }, (_, i) => model.init(foldIn(key(1), i)));
  const experts = {
    count: task.experts,
    epochs: 2,
    load: async (expert: number, epoch: number) => cloneTree(snapshots[2 * expert + epoch] ?? model.init(key(0))),
  };
  const { x, weights } = task.learningRates;
  const run = learn({
    objective: sampled(divergence, {
      model,
      experts,
      ...(divergence.requires.start === true ? { expertEpochs: 1 } : {}),
      ...(divergence.requires.real ? { real: realImages(task) } : {}),
      augment: parseAugmentation(task.groups.length === 0 ? 'none' : task.groups.join('_')),
    }),
    coreset: { ...labelled(cycling(task.batch), normal(key(2), [task.batch, ...task.network.inputShape])), weights: ones([task.batch]) },
    learnable: learnableOf(task),
    optimizer: sgd({ learningRate: task.method === 'psvi' ? Math.min(x, weights) : x, momentum: task.momentum }),
    runtime,
    steps: Number.MAX_SAFE_INTEGER,
    key: key(3),
  })[Symbol.asyncIterator]();
  return async () => {
    const begun = performance.now();
    await run.next();
    return performance.now() - begun;
  };
}

/** One estimate per group of the augmentation and draw of images, with parameters and noise of the file. */
async function evaluate(task: DivergenceTask, runtime: Runtime, files: EvaluationFiles): Promise<void> {
  const model = modelOf(task);
  const entries = readInputs(files);
  const like = model.init(key(0));
  const labels = tensorOf(entries, 'labels').dataSync();
  const weights = tensorOf(entries, 'weights') as Tensor1D;
  const real = labelled(tensorOf(entries, 'real/labels').dataSync(), tensorOf(entries, 'real/x'));
  const [expert, start] = [treeOf(entries, 'expert', like), treeOf(entries, 'start', like)];
  const noiseOf = (kind: string) => given(entries, `noise/${kind}`, like);
  const noise = { expert: noiseOf('expert'), posterior: noiseOf('posterior'), chain: noiseOf('chain') };
  const [height, width] = task.network.inputShape;
  const found: Record<string, Tree> = {};
  for (const group of task.groups.length === 0 ? ['none'] : task.groups) {
    const draws = drawsOf(entries).map((name, d) => {
      const read = (parameter: string) => tensorOf(entries, `draw${d}/${parameter}`).dataSync();
      const augmentation = augmentationInputs(givenAugmentation(read, group, height, width), task.batch, height, width);
      return { coreset: { ...labelled(labels, tensorOf(entries, name)), weights }, augmentation };
    });
    const variant = draws[0]?.augmentation.variant ?? 'none';
    const program = runtime.compile((arguments_: Arguments, parameters: Tree): Tree => {
      const { noise: drawn, ...others } = arguments_;
      const augment = (x: Tensor) => applyAugmentation(variant, x, parameters);
      const input: DivergenceInput<Tree> = {
        ...others,
        model,
        learnable: learnableOf(task),
        dataCount: task.settings.dataCount,
        ...(variant === 'none' ? {} : { augment }),
      };
      return estimateOf(task, input, drawn);
    });
    for (const [d, { coreset, augmentation }] of draws.entries())
      found[`${group}/${d}`] = await program({ coreset, real, expert, start, noise }, augmentation.inputs);
    await program.dispose();
  }
  await writeOutputs(files, found);
}

type Arguments = {
  readonly coreset: Coreset;
  readonly real: { readonly x: Tensor; readonly y: Tensor };
  readonly expert: Tree;
  readonly start: Tree;
  readonly noise: GivenNoise;
};

/** Draws 0, 1, … of a kind, as many as the file has. */
function given(entries: ReturnType<typeof readInputs>, prefix: string, like: Tree): Tree[] {
  const count = new Set([...entries.keys()].flatMap((name) => (name.startsWith(`${prefix}/`) ? name.split('/')[2] : []))).size;
  return Array.from({ length: count }, (_, i) => treeOf(entries, `${prefix}/${i}`, like));
}

runSubject(async (argument) => {
  const task = argument as DivergenceTask;
  const { runtime, version } = await openSubject(task.subject, task.threads);
  if (task.evaluate === undefined) {
    const turn = turns(task, runtime);
    // Compiles a program per kind of augmentation, which may take longer than the turns that are to be timed.
    await turn();
    await serve(turn, version);
  } else {
    await evaluate(task, runtime, task.evaluate);
    say({ ready: true, version });
  }
  await runtime.dispose();
});
