/**
 * Our side of a whole outer step of contrastive divergence: turns of `learn` itself, from drawing an expert to checking
 * the updated images.
 */
import {
  applyAugmentation,
  augmentationInputs,
  type Coreset,
  classTargets,
  cloneTree,
  contrastiveDivergence,
  crossEntropyEnergy,
  foldIn,
  type Key,
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
import { ones, type Tensor1D } from '@tensorflow/tfjs-core';
import { givenAugmentation } from '../augmentation-entries.js';
import { buildBenchNetwork } from '../bench-network.js';
import type { CdStepTask, EvaluationFiles } from '../task.js';
import { openSubject } from './open-subject.js';
import { readInputs, runSubject, say, serve, tensorOf, treeOf, writeOutputs } from './serve.js';

const modelOf = (task: CdStepTask): Model<Tree> => supervised({ network: buildBenchNetwork(task.network), energy: crossEntropyEnergy() });

function coreset(labels: ArrayLike<number>, x: Coreset['x']): Coreset {
  return { x, y: classTargets(labels, 10), weights: ones([labels.length]) as Tensor1D };
}

/** Milliseconds of the next turn. */
function turns(task: CdStepTask, runtime: Runtime): () => Promise<number> {
  const model = modelOf(task);
  const { steps, stepSize, temperature, sigma, learningRate, momentum } = task;
  const trained = Array.from({ length: task.experts }, (_, i) => model.init(foldIn(key(1), i)));
  const experts = {
    count: task.experts,
    epochs: 1,
    load: async (expert: number) => cloneTree(trained[expert] ?? model.init(key(0))),
  };
  const start = coreset(
    Array.from({ length: task.batch }, (_, i) => i % 10),
    normal(key(2), [task.batch, ...task.network.inputShape]),
  );
  const run = learn({
    objective: sampled(contrastiveDivergence({ steps, stepSize, temperature, sigma }), {
      model,
      experts,
      augment: parseAugmentation(task.groups.join('_')),
    }),
    coreset: start,
    optimizer: sgd({ learningRate, momentum }),
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

/** The estimate without noise, once per group, with the parameters of the file. */
async function evaluate(task: CdStepTask, runtime: Runtime, files: EvaluationFiles): Promise<void> {
  const model = modelOf(task);
  const entries = readInputs(files);
  const expert = treeOf(entries, 'params', model.init(key(0)));
  const points = coreset(tensorOf(entries, 'labels').dataSync(), tensorOf(entries, 'x0'));
  const divergence = contrastiveDivergence({ steps: task.steps, stepSize: task.stepSize, temperature: 0, sigma: 0 });
  const [height, width] = task.network.inputShape;
  const read = (name: string) => tensorOf(entries, name).dataSync();
  const found: Record<string, Tree> = {};
  for (const group of task.groups) {
    const { variant, inputs } = augmentationInputs(givenAugmentation(read, group, height, width), task.batch, height, width);
    const program = runtime.compile((k: Key, params: Tree, data: Coreset, draw: Tree): Tree => {
      const learnable = { x: true, y: false, weights: false };
      const augment = (x: Coreset['x']) => applyAugmentation(variant, x, draw);
      const { grad, value } = divergence.estimate(k, { model, coreset: data, learnable, expert: params, augment });
      return { grad: grad.x ?? [], value: value ?? [] };
    });
    found[group] = await program(key(0), expert, points, inputs);
    await program.dispose();
  }
  await writeOutputs(files, found);
}

runSubject(async (argument) => {
  const task = argument as CdStepTask;
  const { runtime, version } = await openSubject(task.subject, task.threads);
  if (task.evaluate === undefined) await serve(turns(task, runtime), version);
  else {
    await evaluate(task, runtime, task.evaluate);
    say({ ready: true, version });
  }
  await runtime.dispose();
});
