import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import { abs, add, concat, dispose, reshape, scalar, sum } from '@tensorflow/tfjs-core';
import { checkInteger } from './check.js';
import type { CheckpointOptions } from './checkpoint-run.js';
import type { Coreset, Learnable } from './coreset.js';
import { learnable as chosenParts } from './coreset.js';
import { ShapeError } from './errors.js';
import { treeFingerprint } from './fingerprint.js';
import { hostEnvironment } from './host-environment.js';
import type { StepResult, StopReason } from './iterate.js';
import { iterate } from './iterate.js';
import type { Objective, PreparedObjective } from './objective.js';
import type { Optimizer } from './optim/optimizer.js';
import { applyUpdates } from './optim/optimizer.js';
import type { Progress } from './progress.js';
import type { Key } from './random.js';
import { split } from './random.js';
import type { Program, Runtime } from './runtime.js';
import { cloneTree } from './scope.js';
import type { Tree } from './tree.js';
import { assertSameShapes, disposeTree, treeLeaves } from './tree.js';

type Parts = { readonly [name: string]: Tensor };
type LearnState<S extends Tree> = { readonly coreset: Coreset; readonly optimizer: Tree; readonly objective: S };

/** What a progress line of `learn` shows. */
export type LearnInfo = {
  /** Value of the objective, if it has one. */
  readonly value: number | undefined;
};

/** Options of `learn`. */
export type LearnOptions<S extends Tree> = {
  readonly objective: Objective<S>;
  /** Where learning starts. Borrowed: copied before the first step. */
  readonly coreset: Coreset;
  /** Which parts are learned (inputs only by default, as in BPC-CD). */
  readonly learnable?: Partial<Learnable>;
  readonly optimizer: Optimizer;
  readonly runtime: Runtime;
  readonly steps: number;
  readonly key: Key;
  /** Applied to the coreset after each update, inside the program: clip pixels, keep weights non-negative. */
  readonly project?: (coreset: Coreset) => Coreset;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress<LearnInfo>) => void;
  /** Seconds between progress reports (0.1 by default). */
  readonly progressInterval?: number;
  readonly checkpoint?: CheckpointOptions;
  /** Sees the last good coreset (borrowed) when learning stops early. */
  readonly onStop?: (reason: StopReason, coreset: Coreset, step: number) => void | Promise<void>;
};

/** One turn of `learn`; `coreset` is borrowed until the next turn. `step` counts completed steps, from 1. */
export type LearnStep = { readonly step: number; readonly coreset: Coreset; readonly value: number | undefined };

/** A run that starts when it is iterated or collected; use it once. */
export interface LearnRun extends AsyncIterable<LearnStep> {
  /** Runs to the end. The coreset is owned by the caller. */
  collect(): Promise<Coreset>;
}

/** The parts to learn, as the tree that the optimiser sees. */
function learnedParts({ x, y, weights }: Coreset, learnable: Learnable): Parts {
  return { ...(learnable.x ? { x } : {}), ...(learnable.y ? { y } : {}), ...(learnable.weights ? { weights } : {}) };
}

/** Infinite or NaN if any entry is: one number that tells whether an update went wrong. */
function magnitude(parts: Parts): Scalar {
  return treeLeaves(parts)
    .map((leaf): Scalar => sum(abs(leaf)))
    .reduce((a, b): Scalar => add(a, b), scalar(0));
}

type Update = { readonly coreset: Coreset; readonly optimizer: Tree; readonly watched: Tensor };

function updateProgram(optimizer: Optimizer, learnable: Learnable, project: (coreset: Coreset) => Coreset) {
  return (grad: Parts, state: Tree, coreset: Coreset, value: Scalar | readonly Tree[]): Update => {
    const params = learnedParts(coreset, learnable);
    // Broadcasting would hide a gradient of the wrong shape.
    assertSameShapes('the gradient', grad, params);
    const { updates, state: next } = optimizer.update(grad, state, params);
    const learned = project({ ...coreset, ...applyUpdates(params, updates) });
    const size = magnitude(learnedParts(learned, learnable));
    return {
      coreset: { x: learned.x, y: learned.y, weights: learned.weights },
      optimizer: next,
      watched: concat([size, ...treeLeaves(value)].map((s) => reshape(s, [1]))),
    };
  };
}

type Prepared<S extends Tree> = {
  readonly name: string;
  readonly objective: PreparedObjective<S>;
  readonly update: Program<[Parts, Tree, Coreset, Scalar | readonly Tree[]], Update>;
};

async function oneStep<S extends Tree>(
  { name, objective, update }: Prepared<S>,
  key: Key,
  state: LearnState<S>,
): Promise<StepResult<LearnState<S>, LearnInfo>> {
  const { grad, value: estimated, state: next } = await objective.step(key, state.coreset, state.objective);
  try {
    const { coreset, optimizer, watched } = await update(grad, state.optimizer, state.coreset, estimated ?? []);
    const [size, value] = await watched.data();
    dispose(watched);
    return {
      state: { coreset, optimizer, objective: next },
      info: { value },
      watched: {
        'the sum of absolute values of the coreset': size ?? Number.NaN,
        ...(value === undefined ? {} : { [`the value of ${name}`]: value }),
      },
    };
  } catch (error) {
    disposeTree(next);
    throw error;
  } finally {
    disposeTree(grad);
    disposeTree(estimated);
  }
}

async function* run<S extends Tree>(
  options: LearnOptions<S>,
  learnable: Learnable,
  onFinish?: (coreset: Coreset) => void,
): AsyncGenerator<LearnStep, void, void> {
  const { objective, optimizer, runtime, project = (coreset) => coreset, checkpoint, onStop } = options;
  const { x, y, weights } = options.coreset;
  const [initKey, stepKey] = split(options.key, 2);
  const prepared: Prepared<S> = {
    name: objective.name,
    update: runtime.compile(updateProgram(optimizer, learnable, project)),
    objective: await objective.prepare(runtime, options.coreset, learnable),
  };
  try {
    const loop = iterate<LearnState<S>, LearnInfo>({
      ...options,
      key: stepKey,
      init: () => {
        const coreset = cloneTree({ x, y, weights });
        return { coreset, optimizer: optimizer.init(learnedParts(coreset, learnable)), objective: objective.init(initKey) };
      },
      step: (key, state) => oneStep(prepared, key, state),
      checkpoint: checkpoint && {
        ...checkpoint,
        config: {
          settings: checkpoint.config ?? null,
          objective: objective.name,
          learnable,
          initialCoreset: await treeFingerprint({ x, y, weights }),
        },
      },
      environment: { ...hostEnvironment(), ...runtime.describe(), name: runtime.name },
      onStop: onStop && ((reason, state, step) => onStop(reason, state.coreset, step)),
      onFinish: ({ coreset }) => onFinish?.(coreset),
    });
    for await (const { step, state, info } of loop) yield { step, coreset: state.coreset, value: info.value };
  } finally {
    await prepared.objective.dispose();
    await prepared.update.dispose();
  }
}

function check({ coreset: { x, y, weights }, steps, checkpoint }: Pick<LearnOptions<Tree>, 'coreset' | 'steps' | 'checkpoint'>): void {
  checkInteger('steps', steps, 0);
  checkInteger('checkpoint.every', checkpoint?.every ?? 1, 1);
  const points = x.shape[0];
  if (y.shape[0] !== points || weights.shape.length !== 1 || weights.shape[0] !== points) {
    throw new ShapeError(
      `coreset has x [${x.shape}], y [${y.shape}] and weights [${weights.shape}]`,
      'give each of the M points a target and a weight: x [M, …], y [M, …], weights [M]',
    );
  }
}

/**
 * Learns a coreset: `S ← project(S + update(∇_S estimate))`, one estimate and one optimiser step per turn.
 *
 * Iterate it to watch (`coreset` is borrowed until the next turn) or `collect()` the result. Step i draws from
 * `foldIn(key, i)` alone, so that a run that was killed and resumed from its checkpoint ends with the same bits.
 *
 * @throws ConfigError or ShapeError on bad options, before any work; MissingKernelError if the runtime lacks an
 * operation; NonFiniteError when the value or the coreset diverges and InterruptedError after an abort, both after the
 * last good state has been saved; CheckpointError when resuming another run; StorageError if saving fails.
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { ones, sub, tensor1d, tensor2d } from '@tensorflow/tfjs-core';
 * import { eagerRuntime, key, learn, sgd } from '@bpc/core';
 * import type { Objective } from '@bpc/core';
 *
 * // Pulls every input towards 1.
 * const towardsOne: Objective<readonly []> = {
 *   name: 'towards one',
 *   init: () => [],
 *   prepare: async () => ({
 *     step: async (_key, { x }) => ({ grad: { x: sub(x, ones(x.shape)) }, state: [] }),
 *     dispose: async () => undefined,
 *   }),
 * };
 * const coreset = { x: tensor2d([[3, 5]]), y: tensor2d([[1]]), weights: tensor1d([1]) };
 * const run = learn({ objective: towardsOne, coreset, optimizer: sgd({ learningRate: 0.5 }), runtime: eagerRuntime(), steps: 10, key: key(0) });
 * const learned = await run.collect();
 * ```
 */
export function learn<S extends Tree>(options: LearnOptions<S>): LearnRun {
  const learnable = chosenParts(options.learnable);
  check(options);
  return {
    [Symbol.asyncIterator]: () => run(options, learnable),
    async collect() {
      let result: Coreset | undefined;
      for await (const _ of run(options, learnable, (coreset) => {
        result = cloneTree(coreset);
      })) {
        /* progress is reported by onProgress */
      }
      // The loop ends normally only after onFinish.
      return result as Coreset;
    },
  };
}
