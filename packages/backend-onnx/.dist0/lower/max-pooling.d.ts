import type { NodeOf } from '@bpc/compiler';
import type { LoweringContext } from './context.js';
/** Lowers max pooling; the result is tiled. */
export declare function lowerMaxPool(node: NodeOf<'MaxPool'>, context: LoweringContext): string;
/** Lowers v ↦ v at the first maximum of each window; the result is tiled. */
export declare function lowerMaxPoolGather(node: NodeOf<'MaxPoolGather'>, context: LoweringContext): string;
/**
 * Lowers the gradient of max pooling: dy goes to the first maximum of each window; the result is tiled.
 *
 * Each tap's share of dy is spread out by the strides and added at the tap's offset. Windows that do not overlap only
 * interleave, so there the shares are concatenated instead.
 */
export declare function lowerMaxPoolGrad(node: NodeOf<'MaxPoolGrad'>, context: LoweringContext): string;
//# sourceMappingURL=max-pooling.d.ts.map