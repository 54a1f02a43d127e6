import type { Tensor } from '@tensorflow/tfjs-core';
import type { AugmentationVariant } from './augment/augment.js';
import { drawAugmentation } from './augment/augment.js';
import type { AugmentStrategy } from './augment/strategy.js';
import { checkInteger } from './check.js';
import { ConfigError } from './errors.js';
import type { Batch, Model } from './model.js';
import type { Key } from './random.js';
import { foldIn, hostInteger } from './random.js';
import type { Tree } from './tree.js';
import { disposeTree } from './tree.js';

/** Trajectories of networks trained on the full data: files, or anything that can be loaded. */
export interface ExpertSource<P extends Tree> {
  /** Number of experts. */
  readonly count: number;
  /** Snapshots of each expert; epoch 0 is its random initialisation. */
  readonly epochs: number;
  /** Parameters of one snapshot. Fresh tensors, owned by the caller. */
  load(expert: number, epoch: number): Promise<P>;
}

/** Batches of real data, all of one shape. */
export interface BatchSource {
  /** N, points of the full data that batches are drawn from. */
  readonly count: number;
  /** The batch of a key. Fresh tensors, owned by the caller. */
  draw(key: Key): Promise<Batch>;
}

/** Options of `sampled`. */
export type SampledOptions<P extends Tree> = {
  readonly model: Model<P>;
  readonly experts: ExpertSource<P>;
  /** Epochs to start from, `from ≤ e < to`, drawn uniformly; all snapshots by default. */
  readonly startEpochs?: { readonly from: number; readonly to: number };
  /** θ_D is the snapshot this many epochs after the start (0 by default: the start itself, as in BPC-CD). */
  readonly expertEpochs?: number;
  /** Estimates averaged per step, each with its own expert and augmentation (1 by default). */
  readonly expertsPerStep?: number;
  /** Augmentation of the coreset; none by default. */
  readonly augment?: AugmentStrategy;
  /**
   * Independent draws of the augmentation's parameters per estimate (1 by default). Draw d of the divergence uses number
   * `min(d, draws − 1)`; the group is the same in all of them.
   */
  readonly augmentDraws?: number;
  /** Needed by divergences that compare with real data. */
  readonly real?: BatchSource;
};

/** The host's choices for one estimate, loaded. Owned. */
export type Sample<P extends Tree> = {
  readonly variant: AugmentationVariant;
  readonly expert: P;
  readonly start: P | undefined;
  readonly real: Batch | undefined;
  readonly augmentation: readonly Tree[];
};

/** Epochs `from ≤ e < to`. */
export type Range = { readonly from: number; readonly to: number };

/** The range of start epochs. @throws ConfigError if it is empty or ends after the last usable snapshot. */
export function startRange<P extends Tree>({ experts, startEpochs, expertEpochs = 0 }: SampledOptions<P>): Range {
  checkInteger('experts.count', experts.count, 1);
  checkInteger('expertEpochs', expertEpochs, 0);
  const last = experts.epochs - expertEpochs;
  const { from, to } = startEpochs ?? { from: 0, to: last };
  checkInteger('startEpochs.from', from, 0);
  checkInteger('startEpochs.to', to, from + 1);
  if (to > last) {
    throw new ConfigError(
      `startEpochs.to is ${to}, but experts have ${experts.epochs} snapshots and expertEpochs is ${expertEpochs}`,
      `start before epoch ${last}, or train experts longer`,
    );
  }
  return { from, to };
}

/** Draws expert, epoch, augmentation and batch of one estimate; keys 0 to 3 of `key`. */
export async function draw<P extends Tree>(
  key: Key,
  options: SampledOptions<P>,
  { from, to }: Range,
  strategy: AugmentStrategy,
  x: Tensor,
): Promise<Sample<P>> {
  const { experts, real, expertEpochs = 0, augmentDraws = 1 } = options;
  const expert = hostInteger(foldIn(key, 0), experts.count);
  const epoch = from + hostInteger(foldIn(key, 1), to - from);
  const made: Tree[] = [];
  const own = <T extends Tree>(tree: T): T => {
    made.push(tree);
    return tree;
  };
  let loaded: Pick<Sample<P>, 'expert' | 'start' | 'real'>;
  try {
    loaded = {
      expert: own(await experts.load(expert, epoch + expertEpochs)),
      start: expertEpochs === 0 ? undefined : own(await experts.load(expert, epoch)),
      real: real === undefined ? undefined : own(await real.draw(foldIn(key, 2))),
    };
  } catch (error) {
    // What was loaded before the failing read has no owner yet.
    made.forEach(disposeTree);
    throw error;
  }
  const [points = 0, height = 1, width = 1] = x.shape;
  // The group comes from the same key each time, so that all draws run in one program.
  const groupKey = foldIn(key, 3);
  const { groups } = strategy;
  const group = groups[hostInteger(groupKey, Math.max(1, groups.length))];
  const single = { ...strategy, groups: group === undefined ? [] : [group] };
  const draws = Array.from({ length: augmentDraws }, (_, i) => drawAugmentation(foldIn(groupKey, i), single, points, height, width));
  return { variant: draws[0]?.variant ?? 'none', ...loaded, augmentation: draws.map(({ inputs }) => inputs) };
}

/** Disposes everything of a sample. */
export function disposeSample({ expert, start, real, augmentation }: Sample<Tree>): void {
  for (const part of [expert, start, real, augmentation]) disposeTree(part);
}
