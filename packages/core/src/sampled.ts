import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import { add, mul } from '@tensorflow/tfjs-core';
import type { AugmentationVariant } from './augment/augment.js';
import { applyAugmentation, augmentationVariants, selectDraw } from './augment/augment.js';
import type { AugmentStrategy } from './augment/strategy.js';
import { checkInteger } from './check.js';
import type { Coreset, CoresetGrad, Learnable } from './coreset.js';
import type { Divergence } from './divergence/divergence.js';
import { ConfigError, ShapeError } from './errors.js';
import type { Batch } from './model.js';
import type { Objective, PreparedObjective } from './objective.js';
import type { Key } from './random.js';
import { foldIn, key as keyFromSeed } from './random.js';
import type { Program, Runtime } from './runtime.js';
import type { Range, SampledOptions } from './sampled-draw.js';
import { disposeSample, draw, startRange } from './sampled-draw.js';
import type { Tree } from './tree.js';
import { disposeTree, treeMap } from './tree.js';

type Estimate = { readonly grad: CoresetGrad; readonly value?: Scalar };
type StatefulEstimate = Estimate & { readonly state?: Tree };
type Arguments<P extends Tree> = [
  key: Key,
  coreset: Coreset,
  expert: P,
  start: P | undefined,
  real: Batch | undefined,
  augmentation: readonly Tree[],
  state: readonly Tree[],
];

/** The tensor program of one variant. */
function estimator<P extends Tree>(
  divergence: Divergence,
  { model, real: source }: SampledOptions<P>,
  learnable: Learnable,
  variant: AugmentationVariant,
) {
  return (...[key, coreset, expert, start, real, augmentation, [state]]: Arguments<P>): StatefulEstimate =>
    divergence.estimate(key, {
      model,
      coreset,
      learnable,
      expert,
      ...(start === undefined ? {} : { start }),
      ...(real === undefined ? {} : { real }),
      ...(source === undefined ? {} : { dataCount: source.count }),
      ...(state === undefined ? {} : { state }),
      ...(variant === 'none' ? {} : { augment: (x: Tensor, n: Scalar) => applyAugmentation(variant, x, selectDraw(augmentation, n)) }),
    });
}

const average = (estimates: readonly Estimate[]): Estimate => {
  const [first, ...rest] = estimates as readonly [Estimate, ...Estimate[]];
  return treeMap(
    (...leaves) =>
      mul(
        leaves.reduce((a, b): Tensor => add(a, b)),
        1 / leaves.length,
      ),
    first,
    ...rest,
  );
};

/**
 * The objective that estimates a divergence at randomly drawn experts: each step draws expert, start epoch, augmentation
 * and real batch on the host, from its key alone, and runs one program per augmentation variant.
 *
 * @throws ConfigError if epochs or counts are out of range or the divergence needs real data that is not given;
 * ShapeError (from `prepare`) if inputs to augment are no images.
 * @example
 * ```ts
 * import { contrastiveDivergence, crossEntropyEnergy, key, parseAugmentation, sampled, supervised } from '@bpc/core';
 * import { convNet } from '@bpc/models';
 * const network = convNet({ inputShape: [28, 28, 1], outputs: 10, width: 32 });
 * const model = supervised({ network, energy: crossEntropyEnergy() });
 * // One untrained network stands in for trained experts here.
 * const experts = { count: 1, epochs: 1, load: async () => network.init(key(0)) };
 * const objective = sampled(contrastiveDivergence(), { model, experts, augment: parseAugmentation('color_crop') });
 * ```
 */
export function sampled<P extends Tree>(divergence: Divergence, options: SampledOptions<P>): Objective<readonly Tree[]> {
  const range = startRange(options);
  const expertsPerStep = checkInteger('expertsPerStep', options.expertsPerStep ?? 1, 1);
  checkInteger('augmentDraws', options.augmentDraws ?? 1, 1);
  if (divergence.requires.real && options.real === undefined) {
    throw new ConfigError(`divergence '${divergence.name}' needs real data, but real is not given`, 'pass a BatchSource as real');
  }
  if (divergence.requires.start === true && (options.expertEpochs ?? 0) === 0) {
    throw new ConfigError(
      `divergence '${divergence.name}' compares two snapshots of an expert, but expertEpochs is 0`,
      'pass expertEpochs: 1 or more',
    );
  }
  const strategy = options.augment ?? { groups: [], alignCorners: true };
  return {
    name: divergence.name,
    init: (key) => (divergence.init === undefined ? [] : [divergence.init(key, options.model)]),
    prepare: async (runtime, like, learnable) => {
      if (strategy.groups.length > 0 && like.x.shape.length !== 4) {
        throw new ShapeError(
          `coreset inputs have shape [${like.x.shape}], which are no images`,
          'leave augment out, or give x the shape [M, height, width, channels]',
        );
      }
      const programs = compileAll(runtime, divergence, options, strategy, learnable);
      const mean = runtime.compile(average);
      const dispose = async () => {
        await Promise.all([...programs.values(), mean].map((program) => program.dispose()));
      };
      const estimate = async (key: Key, coreset: Coreset, state: readonly Tree[]): Promise<StatefulEstimate> => {
        const sample = await draw(key, options, range, strategy, coreset.x);
        try {
          const { variant, expert, start, real, augmentation } = sample;
          return await programOf(programs, variant)(foldIn(key, 4), coreset, expert, start, real, augmentation, state);
        } finally {
          disposeSample(sample);
        }
      };
      try {
        await prepareAll(programs, divergence, options, range, strategy, like);
      } catch (error) {
        await dispose();
        throw error;
      }
      return stepper(estimate, mean, expertsPerStep, dispose);
    },
  };
}

type Programs<P extends Tree> = ReadonlyMap<AugmentationVariant, Program<Arguments<P>, StatefulEstimate>>;

function compileAll<P extends Tree>(
  runtime: Runtime,
  divergence: Divergence,
  options: SampledOptions<P>,
  strategy: AugmentStrategy,
  learnable: Learnable,
): Programs<P> {
  return new Map(
    augmentationVariants(strategy).map(
      (variant) => [variant, runtime.compile(estimator(divergence, options, learnable, variant))] as const,
    ),
  );
}

function programOf<P extends Tree>(programs: Programs<P>, variant: AugmentationVariant): Program<Arguments<P>, StatefulEstimate> {
  const program = programs.get(variant);
  if (program === undefined) throw new ConfigError(`no program for augmentation '${variant}'`, 'report this as a bug');
  return program;
}

/** Compiles each variant on arguments of the right shapes. */
async function prepareAll<P extends Tree>(
  programs: Programs<P>,
  divergence: Divergence,
  options: SampledOptions<P>,
  range: Range,
  strategy: AugmentStrategy,
  like: Coreset,
): Promise<void> {
  const key = keyFromSeed(0);
  for (const [variant, program] of programs) {
    const groups = strategy.groups.filter((group) => augmentationVariants({ ...strategy, groups: [group] })[0] === variant);
    const sample = await draw(key, options, range, { ...strategy, groups }, like.x);
    const state = divergence.init === undefined ? [] : [divergence.init(key, options.model)];
    try {
      await program.prepare(key, like, sample.expert, sample.start, sample.real, sample.augmentation, state);
    } finally {
      disposeTree(state);
      disposeSample(sample);
    }
  }
}

function stepper(
  estimate: (key: Key, coreset: Coreset, state: readonly Tree[]) => Promise<StatefulEstimate>,
  mean: Program<[readonly Estimate[]], Estimate>,
  expertsPerStep: number,
  dispose: () => Promise<void>,
): PreparedObjective<readonly Tree[]> {
  return {
    async step(key, coreset, before) {
      const estimates: Estimate[] = [];
      // The last estimate's state; what came before it is disposed, but for the caller's.
      let state: readonly Tree[] = [];
      let kept = false;
      try {
        for (let i = 0; i < expertsPerStep; i++) {
          const { state: next, ...made } = await estimate(foldIn(key, i), coreset, i === 0 ? before : state);
          estimates.push(made);
          disposeTree(state);
          state = next === undefined ? [] : [next];
        }
        const averaged = expertsPerStep === 1 ? estimates.pop() : await mean(estimates);
        if (averaged === undefined) throw new ConfigError('no estimate was made', 'report this as a bug');
        kept = true;
        return { ...averaged, state };
      } finally {
        for (const made of estimates) disposeTree(made);
        if (!kept) disposeTree(state);
      }
    },
    dispose,
  };
}
