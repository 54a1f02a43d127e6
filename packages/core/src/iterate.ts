import { checkInteger } from './check.js';
import type { Metadata } from './checkpoint.js';
import type { CheckpointOptions, RunCheckpoint } from './checkpoint-run.js';
import { runCheckpoint } from './checkpoint-run.js';
import { CheckpointError, InterruptedError, NonFiniteError } from './errors.js';
import { eventLoopTurns } from './event-loop.js';
import type { Progress } from './progress.js';
import { progressReporter } from './progress.js';
import type { Key } from './random.js';
import { foldIn } from './random.js';
import type { Tree } from './tree.js';
import { disposeTree } from './tree.js';

/** What one step gives. `state` is fresh; `watched` are host numbers that must stay finite. */
export type StepResult<State extends Tree, Info> = {
  readonly state: State;
  readonly info: Info;
  readonly watched?: Readonly<Record<string, number>>;
};

/** Why a run stopped before its end. */
export type StopReason = 'interrupted' | 'non-finite' | 'failed';

/** Options of `iterate`. */
export type IterateOptions<State extends Tree, Info> = {
  /** The state before the first step; fresh tensors, owned by the driver afterwards. Called on resume too, for its shapes. */
  readonly init: () => State | Promise<State>;
  /** One step. `key` belongs to this step alone; `state` is borrowed. */
  readonly step: (key: Key, state: State, index: number) => Promise<StepResult<State, Info>>;
  /** Number of steps, a non-negative integer. */
  readonly steps: number;
  /** Step i uses `foldIn(key, i)`, so that a resumed run draws what an uninterrupted one would. */
  readonly key: Key;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress<Info>) => void) | undefined;
  /** Seconds between progress reports (0.1 by default). */
  readonly progressInterval?: number | undefined;
  readonly checkpoint?: CheckpointOptions | undefined;
  /** What must agree for a resume to be bitwise exact; usually `runtime.describe()`. */
  readonly environment?: Metadata | undefined;
  /** Sees the last good state (borrowed) when the run stops early. */
  readonly onStop?: ((reason: StopReason, state: State, step: number) => void | Promise<void>) | undefined;
  /** Sees the final state (borrowed) when all steps are done. */
  readonly onFinish?: ((state: State, step: number) => void | Promise<void>) | undefined;
};

/** One turn of the loop; `state` is borrowed until the next turn. `step` counts completed steps, from 1. */
export type Iteration<State extends Tree, Info> = { readonly step: number; readonly state: State; readonly info: Info };

const badWatched = (watched: Readonly<Record<string, number>> = {}) => Object.entries(watched).find(([, value]) => !Number.isFinite(value));

/**
 * Runs a step function many times: the driver below `learn` and `sample`.
 *
 * It looks at `signal` between steps, reports progress, saves checkpoints and resumes from them, and owns all states:
 * a yielded state is borrowed until the next turn. Leaving the loop early disposes everything.
 *
 * @throws ConfigError on a bad count; CheckpointError if the saved run is another one; StorageError if saving fails;
 * InterruptedError after an abort and NonFiniteError when a watched number is NaN or infinite, both after the last good
 * state has been saved and shown to `onStop`.
 * @example
 * ```ts
 * import { add, scalar, type Tensor } from '@tensorflow/tfjs-core';
 * import { iterate, key } from '@bpc/core';
 * const run = iterate<{ x: Tensor }, object>({ init: () => ({ x: scalar(0) }), step: async (_, { x }) => ({ state: { x: add(x, 1) }, info: {} }), steps: 3, key: key(0) });
 * for await (const { step, state } of run) console.log(step, state.x.shape);
 * ```
 */
export async function* iterate<State extends Tree, Info>(
  options: IterateOptions<State, Info>,
): AsyncGenerator<Iteration<State, Info>, void, void> {
  const { steps, key, signal, environment = {}, onStop, onFinish, checkpoint: saving } = options;
  checkInteger('steps', steps, 0);
  const every = saving?.every ?? 100;
  checkInteger('checkpoint.every', every, 1);
  const saver: RunCheckpoint<State> | undefined = saving && runCheckpoint(saving, { key, config: saving.config ?? null, environment });

  let { state, step } = await begin(options, saver);
  let stopped = false;
  const stop = async (reason: StopReason): Promise<void> => {
    stopped = true;
    try {
      await saver?.save(state, step);
      await saver?.flush();
    } finally {
      await onStop?.(reason, state, step);
    }
  };
  try {
    const { onProgress, progressInterval } = options;
    const report = progressReporter<Info>({ onProgress, total: steps, start: step, interval: progressInterval });
    const turn = eventLoopTurns();
    while (step < steps) {
      await turn();
      if (signal?.aborted) {
        await stop('interrupted');
        throw new InterruptedError(
          `interrupted after step ${step} of ${steps}`,
          step,
          saver ? 'run it again to resume' : 'pass a checkpoint store to be able to resume',
          { cause: signal.reason },
        );
      }
      const result = await options.step(foldIn(key, step), state, step);
      const bad = badWatched(result.watched);
      if (bad) {
        disposeTree(result.state);
        await stop('non-finite');
        const saved = saver ? `; the state after step ${step} is saved` : '';
        throw new NonFiniteError(
          `${bad[0]} is ${bad[1]} in step ${step + 1} of ${steps}`,
          step,
          `lower the learning rate or step size${saved}`,
        );
      }
      disposeTree(state);
      state = result.state;
      step += 1;
      if (step % every === 0 || step === steps) await saver?.save(state, step);
      report(step, result.info);
      yield { step, state, info: result.info };
    }
    await saver?.flush();
    await onFinish?.(state, step);
  } catch (error) {
    // A step that throws must not cost the steps before it, nor a failing rescue hide why it threw.
    if (!stopped) await stop('failed').catch(() => undefined);
    throw error;
  } finally {
    disposeTree(state);
    await saver?.flush().catch(() => undefined);
  }
}

/** The saved state if there is one, else the initial one. */
async function begin<State extends Tree, Info>(
  { init, steps }: IterateOptions<State, Info>,
  saver: RunCheckpoint<State> | undefined,
): Promise<{ state: State; step: number }> {
  const initial = await init();
  let saved: { readonly state: State; readonly step: number } | undefined;
  try {
    saved = await saver?.load(initial);
  } catch (error) {
    disposeTree(initial);
    throw error;
  }
  if (saved === undefined) return { state: initial, step: 0 };
  disposeTree(initial);
  if (saved.step > steps) {
    disposeTree(saved.state);
    throw new CheckpointError(
      `the checkpoint is after step ${saved.step}, but only ${steps} steps are asked for`,
      'ask for more steps, or choose another output',
    );
  }
  return saved;
}
