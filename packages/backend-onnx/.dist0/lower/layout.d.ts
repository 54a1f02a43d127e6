import type { Node, Shape } from '@bpc/compiler';
/**
 * How a rank-4 value is stored: `rows` is NHWC as tfjs sees it, `tiles` is [H, W, N, C].
 *
 * In `tiles` a spatial transform is a matrix product over a leading axis with N·C contiguous columns, a 1×1 or im2col
 * convolution is a plain matrix product, and statistics per image and channel are sums over leading axes.
 */
export type Layout = 'rows' | 'tiles';
/** Logical axes (N, H, W, C) in the order in which `tiles` stores them. */
export declare const TILES: readonly [1, 2, 0, 3];
export declare const ROWS: readonly [0, 1, 2, 3];
export declare const storageOrder: (layout: Layout) => readonly number[];
/** Chooses a layout for every node. `nodes` must be in topological order. */
export declare function assignLayouts(nodes: readonly Node[]): ReadonlyMap<Node, Layout>;
/** True if reordering the axes of `shape` to `perm` moves nothing but axes of length 1, so that it is a reshape. */
export declare function movesOnlyUnits(shape: Shape, perm: readonly number[]): boolean;
//# sourceMappingURL=layout.d.ts.map