import type { Node, Op, Shape } from '@bpc/compiler';
import { BINARY, COMPARE, REDUCE, UNARY } from '@bpc/compiler';
import { sameShape } from './shape.js';
import { isUpsampling } from './upsampling.js';

/**
 * How a rank-4 value is stored: `rows` is NHWC as tfjs sees it, `tiles` is [H, W, N, C].
 *
 * In `tiles` a spatial transform is a matrix product over a leading axis with N·C contiguous columns, a 1×1 or im2col
 * convolution is a plain matrix product, and statistics per image and channel are sums over leading axes.
 */
export type Layout = 'rows' | 'tiles';

/** Logical axes (N, H, W, C) in the order in which `tiles` stores them. */
export const TILES = [1, 2, 0, 3] as const;
export const ROWS = [0, 1, 2, 3] as const;

export const storageOrder = (layout: Layout): readonly number[] => (layout === 'tiles' ? TILES : ROWS);

const SPATIAL: ReadonlySet<Op> = new Set<Op>([
  'Conv',
  'ConvInputGrad',
  'AvgPool',
  'AvgPoolGrad',
  'MaxPool',
  'MaxPoolGrad',
  'MaxPoolGather',
]);

// Operations that only need to know which axis is which, so they keep whatever layout their operands have.
const FOLLOWING: ReadonlySet<Op> = new Set<Op>([
  ...UNARY,
  ...BINARY,
  ...COMPARE,
  ...REDUCE,
  'Select',
  'Cast',
  'Broadcast',
  'Slice',
  'Pad',
  'Concat',
  'Reverse',
  'CumSum',
]);

/**
 * Chooses a layout for every node. `nodes` must be in topological order.
 *
 * An upsampled operand has no say: it is small before it is written out, and cheap to bring into the layout of the other.
 * The gradient of a convolution's input goes straight into rows where nothing wants tiles.
 */
export function assignLayouts(nodes: readonly Node[]): ReadonlyMap<Node, Layout> {
  const layouts = new Map<Node, Layout>();
  const wanted = new Set(nodes.flatMap((node) => (takesTiles(node) ? node.inputs : [])));
  const follows = (node: Node): boolean => {
    const images = node.inputs.filter((input) => input.shape.length === 4);
    const whole = images.filter((input) => !isUpsampling(input) && sameShape(input.shape, node.shape));
    return (whole.length > 0 ? whole : images).some((input) => layouts.get(input) === 'tiles');
  };
  for (const node of nodes) {
    const spatial = SPATIAL.has(node.op) && (node.op !== 'ConvInputGrad' || wanted.has(node));
    const tiled = node.shape.length === 4 && (spatial || (FOLLOWING.has(node.op) && follows(node)));
    layouts.set(node, tiled ? 'tiles' : 'rows');
  }
  return layouts;
}

const takesTiles = ({ op }: Node): boolean => SPATIAL.has(op) || FOLLOWING.has(op) || op === 'ConvFilterGrad';

/** True if reordering the axes of `shape` to `perm` moves nothing but axes of length 1, so that it is a reshape. */
export function movesOnlyUnits(shape: Shape, perm: readonly number[]): boolean {
  const moved = perm.filter((axis) => shape[axis] !== 1);
  return moved.every((axis, i) => i === 0 || axis > (moved[i - 1] ?? 0));
}
