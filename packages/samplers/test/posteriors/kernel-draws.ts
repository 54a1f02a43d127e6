import { jsRuntime } from '@bpc/compiler';
import { foldIn, hostUniform, type Key } from '@bpc/core';
import {
  type Draws,
  nutsKernel,
  parameterNames,
  type Target,
  targetQuantities,
  unconstrainedDensity,
  unconstrainedLike,
  windowedAdaptation,
} from '@bpc/samplers';

export async function kernelDraws(
  target: Target,
  key: Key,
  draws: number,
  { chains = 4, warmup = 1000, targetAcceptance = 0.95 } = {},
): Promise<Draws & { grads: number }> {
  const runtime = jsRuntime();
  const like = unconstrainedLike(target.parameters);
  const density = await runtime.density(unconstrainedDensity(target), like, target.data);
  const mapping = await runtime.mapping(targetQuantities(target), like, target.data);
  const { size } = density;
  const own = new Set(parameterNames(target.parameters));
  const values = Object.fromEntries(
    mapping.outputs.map(({ path, shape }) => [path, new Float64Array(chains * draws * shape.reduce((a, b) => a * b, 1))]),
  );
  const unconstrained = new Float64Array(chains * draws * size);
  const divergent = new Float64Array(chains * draws);
  const out = new Float64Array(mapping.outputSize);
  let grads = 0;
  for (let c = 0; c < chains; c++) {
    const k = foldIn(key, c);
    const kernel = nutsKernel({ density });
    await kernel.start(Float64Array.from(hostUniform(foldIn(k, 0), size), (x) => 4 * x - 2));
    const warm = windowedAdaptation({ size, warmup, targetAcceptance });
    warm.begin(await kernel.initialStepSize(foldIn(k, 1)));
    for (let i = 0; i < warmup + draws; i++) {
      if (i === warmup) {
        warm.finish();
      }
      if (i <= warmup) kernel.stepSize = warm.stepSize;
      await kernel.transition(foldIn(foldIn(k, 2), i));
      grads += kernel.info.leapfrogSteps;
      if (i < warmup) {
        if (warm.update(kernel.position, kernel.info.acceptance)) {
          kernel.metric = warm.metric;
          warm.begin(await kernel.initialStepSize(foldIn(foldIn(k, 3), i)));
        }
      } else {
        const n = c * draws + i - warmup;
        unconstrained.set(kernel.position, n * size);
        divergent[n] = +kernel.info.divergent;
        await mapping.evaluate(kernel.position, out);
        let at = 0;
        for (const { path, shape } of mapping.outputs) {
          const w = shape.reduce((a, b) => a * b, 1);
          values[path]!.set(out.subarray(at, at + w), n * w);
          at += w;
        }
      }
    }
  }
  return {
    chains,
    length: draws,
    variables: mapping.outputs.map(({ path, shape }) => ({ name: path, shape, kind: own.has(path) ? 'parameter' : 'derived' })),
    values,
    statistics: { divergent },
    unconstrained,
    interrupted: false,
    provenance: {},
    grads,
  };
}
