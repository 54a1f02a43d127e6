/** Our side of `bpc bench samplers`: NUTS by `sample`, on this thread or on threads that stay warm. */
import { writeFileSync } from 'node:fs';
import { key } from '@bpc/core';
import { type Draws, type PreparedTarget, prepareTarget, sample } from '@bpc/samplers';
import { nodeWorkers } from '@bpc/samplers/node';
import { peakRssMb } from '../../runtime-choice/environment.js';
import { packageVersion } from '../../runtime-choice/optional-package.js';
import { moduleUrl } from '../../workers/module-url.js';
import { modelTarget } from '../samplers/model-target.js';
import type { BareRequest, NutsRequest, NutsRun, NutsTask } from '../samplers/nuts-task.js';
import { answerRequests, runSubject } from './serve.js';

type Collected = { readonly draws: Draws; readonly compileMs: number; readonly samplingMs: number; readonly cpuMs: number };

const total = (values: Float64Array | undefined): number => values?.reduce((a, b) => a + b, 0) ?? Number.NaN;

/** Gradients of a run, warm-up included. */
const leapfrogs = ({ statistics, warmup }: Draws): number =>
  total(statistics['leapfrogSteps']) + total(warmup?.statistics['leapfrogSteps']);

function sampler(task: NutsTask) {
  const { model, chains, warmup, draws, targetAcceptance, maxDepth } = task;
  const settings = { chains, warmup, draws, targetAcceptance, maxDepth, keepWarmup: true } as const;
  const workers = task.workers === 0 ? undefined : nodeWorkers({ threads: task.workers });
  let prepared: PreparedTarget | undefined;
  return {
    async run(seed: number): Promise<Collected> {
      const begun = performance.now();
      if (workers === undefined) {
        prepared ??= await prepareTarget(modelTarget(model));
        // Compiled when it is first used, which belongs to compiling.
        await prepared.internals.density();
      }
      const before = process.cpuUsage();
      const compiled = performance.now();
      const source =
        prepared === undefined
          ? { model: { module: new URL(moduleUrl('../samplers/model-target.js', import.meta.url)), export: 'modelTarget', options: model } }
          : { prepared };
      const collected = await sample({ ...settings, ...source, key: key(seed), ...(workers === undefined ? {} : { workers }) }).collect();
      const ended = performance.now();
      const { user, system } = process.cpuUsage(before);
      return { draws: collected, compileMs: compiled - begun, samplingMs: ended - compiled, cpuMs: (user + system) / 1000 };
    },
    /** Microseconds of a value and gradient along the draws of a run, which branch and round as the sampler's do. */
    async bare({ seed, calls }: BareRequest): Promise<number> {
      const { draws: collected } = await this.run(seed);
      const density = await prepared?.internals.density();
      if (density === undefined) throw new Error('there is no density on this thread');
      const { size, evaluate } = density;
      const count = Math.floor(collected.unconstrained.length / size);
      const positions = Array.from({ length: count }, (_, n) => collected.unconstrained.slice(n * size, (n + 1) * size));
      const gradient = new Float64Array(size);
      const begun = performance.now();
      for (let i = 0; i < calls; i++) evaluate(positions[i % count] as Float64Array, gradient);
      return (1000 * (performance.now() - begun)) / calls;
    },
  };
}

runSubject(async (argument) => {
  const task = argument as NutsTask;
  const ours = sampler(task);
  await answerRequests(async (request) => {
    const asked = request as NutsRequest | BareRequest;
    if ('calls' in asked) return { microseconds: await ours.bare(asked) };
    const { draws, ...times } = await ours.run(asked.seed);
    const { unconstrained } = draws;
    writeFileSync(asked.out, new Uint8Array(unconstrained.buffer, unconstrained.byteOffset, unconstrained.byteLength));
    const divergent = total(draws.statistics['divergent']);
    return { ...times, leapfrogs: leapfrogs(draws), divergent, peakRssMb: peakRssMb() } satisfies NutsRun;
  }, packageVersion('@bpc/samplers'));
});
