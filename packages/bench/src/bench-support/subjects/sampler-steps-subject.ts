/** Our side of `bpc bench samplers`, case `steps`: Langevin and Hamiltonian steps of the js runtime, in blocks or one by one. */
import { readFileSync, writeFileSync } from 'node:fs';
import { jsRuntime } from '@bpc/compiler';
import { type Algorithm, constant, disposeTree, foldIn, type Key, key, type Runtime, scan, type Tree, treeLeaves } from '@bpc/core';
import { hmc, ula } from '@bpc/samplers';
import { type Tensor, tensor } from '@tensorflow/tfjs-core';
import { packageVersion } from '../../runtime-choice/optional-package.js';
import type { StepsEvaluation, StepsTask } from '../samplers/steps-task.js';
import { smallModels } from '../small-models/models.js';
import { milliseconds, runSubject, say, serve } from './serve.js';

type Position = { readonly q: Tensor };
/** The transition, whatever it keeps in its state; its data are constants of the program, as they are of the peer's. */
function algorithmOf({ kernel, stepSize, leapfrogSteps, dataFile }: StepsTask): Algorithm<Position, Tree, Tree> {
  const { X, y } = JSON.parse(readFileSync(dataFile, 'utf8')) as { readonly X: number[][]; readonly y: number[][] };
  // The model's functions name their parameters, which a table of models cannot say.
  const density = smallModels.logistic().logDensity as (params: Position, data: Tree) => Tensor;
  const logDensity = (params: Position) => density(params, { X: constant(X), y: constant(y) });
  return kernel === 'ula' ? ula({ logDensity, stepSize }) : hmc({ logDensity, stepSize, leapfrogSteps });
}

const positionOf = (state: Tree): Tensor => (state as { readonly position: Position }).position.q;

/** Makes the steps of one block; gives the positions after each, `[block, size]` or one tensor per step. */
async function blocksOf(task: StepsTask, runtime: Runtime): Promise<() => Promise<Tensor[]>> {
  const { init, step } = algorithmOf(task);
  const start = { q: tensor([...task.position]) };
  const begin = runtime.compile((position: Position, k: Key) => init(position, k));
  let state = await begin(start, key(task.seed));
  let done = 0;
  const next = () => foldIn(key(task.seed), done++);
  if (task.loop === 'call') {
    const one = runtime.compile((k: Key, from: Tree): Tree => [...step(k, from)]);
    return async () => {
      const positions: Tensor[] = [];
      for (let i = 0; i < task.block; i++) {
        const [after, info] = (await one(next(), state)) as readonly [Tree, Tree];
        // The position before is kept as a draw, as it is; the rest of the state is not.
        const kept = positionOf(state);
        disposeTree([info, treeLeaves(state).filter((leaf) => leaf !== kept)]);
        positions.push(kept);
        state = after;
      }
      return positions;
    };
  }
  const many = runtime.compile((k: Key, from: Tree): Tree => {
    const each = (now: Tree, { key: own }: { readonly key: Key }) => {
      const [after] = step(own, now);
      return [after, positionOf(after)] as const;
    };
    return [...scan(each, from, undefined, { length: task.block, key: k })];
  });
  return async () => {
    const [after, positions] = (await many(next(), state)) as readonly [Tree, Tensor];
    disposeTree(state);
    state = after;
    return [positions];
  };
}

async function evaluate({ blocks, out }: StepsEvaluation, block: () => Promise<Tensor[]>): Promise<void> {
  const all: number[] = [];
  for (let i = 0; i < blocks; i++) {
    const positions = await block();
    for (const each of positions) all.push(...each.dataSync());
    disposeTree(positions);
  }
  writeFileSync(out, new Uint8Array(Float64Array.from(all).buffer));
  say({ result: true });
}

runSubject(async (argument) => {
  const task = argument as StepsTask | StepsEvaluation;
  const runtime = jsRuntime({ precision: task.precision });
  const block = await blocksOf(task, runtime);
  if ('out' in task) await evaluate(task, block);
  else {
    const timed = () => milliseconds(async () => disposeTree(await block()));
    // Until V8 has optimised everything: it starts with what is hot, on another thread.
    const warm = performance.now() + 1000;
    while (performance.now() < warm) await timed();
    await serve(timed, packageVersion('@bpc/compiler'));
  }
  await runtime.dispose();
});
