import { disposeTree, ensureHostBackend, key, type Network, type Tree, treeEntries } from '@bpc/core';
import { convNet, resNet18, vgg11 } from '@bpc/models';

/** A network of `@bpc/models` by name: what a subject is told, in whatever language it is written. */
export interface BenchNetwork {
  readonly kind: 'convnet' | 'resnet18' | 'vgg11';
  readonly inputShape: readonly [number, number, number];
  /** Blocks and channels of a ConvNet; the others have their own. */
  readonly depth: number;
  readonly width: number;
}

/** Names and shapes of a network's parameters. */
export type ParameterShapes = readonly (readonly [path: string, shape: readonly number[]])[];

/** Builds it, for ten classes. */
export function buildBenchNetwork({ kind, inputShape, depth, width }: BenchNetwork): Network<Tree> {
  if (kind === 'convnet') return convNet({ inputShape, outputs: 10, depth, width });
  return kind === 'vgg11' ? vgg11({ inputShape, outputs: 10 }) : resNet18({ inputShape, outputs: 10 });
}

/** `ConvNet D3 W128, 32x32x3`. */
export function networkTitle({ kind, inputShape, depth, width }: BenchNetwork): string {
  const name = { convnet: `ConvNet D${depth} W${width}`, resnet18: 'ResNet18', vgg11: 'VGG11' }[kind];
  return `${name}, ${inputShape.join('x')}`;
}

/** What a peer needs to know to make the same network. */
export function parameterShapes(network: BenchNetwork): ParameterShapes {
  ensureHostBackend();
  const params = buildBenchNetwork(network).init(key(0));
  const shapes = treeEntries(params).map(([path, leaf]) => [path, leaf.shape] as const);
  disposeTree(params);
  return shapes;
}
