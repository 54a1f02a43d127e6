import type { FeatureNetwork, Tree } from '@bpc/core';
import { convNet, mlp } from '@bpc/models';
import type { RunConfig } from '../config/index.js';
import type { ImageShape } from '../data/dataset.js';

/** A network by name: what a worker is told, since functions do not travel. */
export interface NetworkSpec {
  readonly network: RunConfig['network'];
  readonly width: number;
  readonly depth: number;
  readonly inputShape: ImageShape;
  readonly classes: number;
}

/** The specification of a run's network. */
export function networkSpec(
  config: Pick<RunConfig, 'network' | 'width' | 'depth'>,
  data: { readonly shape: ImageShape; readonly classes: number },
): NetworkSpec {
  const { network, width, depth } = config;
  return { network, width, depth, inputShape: data.shape, classes: data.classes };
}

/**
 * Builds the network of a specification.
 *
 * @throws ConfigError if it does not fit the images.
 */
export function buildNetwork({ network, width, depth, inputShape, classes }: NetworkSpec): FeatureNetwork<Tree> {
  if (network === 'mlp')
    return mlp({ inputShape, outputs: classes, hidden: Array.from({ length: depth }, () => width) }) as FeatureNetwork<Tree>;
  return convNet({ inputShape, outputs: classes, depth, width }) as FeatureNetwork<Tree>;
}

/** A short name for tables: `convnet-d3w32`. */
export const networkTitle = ({ network, width, depth }: Pick<NetworkSpec, 'network' | 'width' | 'depth'>): string =>
  `${network}-d${depth}w${width}`;
