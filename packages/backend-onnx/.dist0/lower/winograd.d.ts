import type { NodeOf } from '@bpc/compiler';
import type { LoweringContext } from './context.js';
/** A 3×3 stride-1 convolution; the result is tiled. */
export declare function winogradConv(node: NodeOf<'Conv'>, context: LoweringContext): string;
/** Its gradient with respect to the input; the result is tiled. */
export declare function winogradInputGrad(node: NodeOf<'ConvInputGrad'>, context: LoweringContext): string;
/** Its gradient with respect to the filter; the result is HWIO. */
export declare function winogradFilterGrad(node: NodeOf<'ConvFilterGrad'>, context: LoweringContext): string;
//# sourceMappingURL=winograd.d.ts.map