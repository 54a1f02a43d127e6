import type { NodeOf } from '@bpc/compiler';
import type { LoweringContext } from './context.js';
/** Lowers average pooling, any window, to two products with banded matrices; the result is tiled. */
export declare function lowerAvgPool(node: NodeOf<'AvgPool'>, context: LoweringContext): string;
/** Lowers the gradient of average pooling; the result is tiled. */
export declare function lowerAvgPoolGrad(node: NodeOf<'AvgPoolGrad'>, context: LoweringContext): string;
//# sourceMappingURL=pooling.d.ts.map