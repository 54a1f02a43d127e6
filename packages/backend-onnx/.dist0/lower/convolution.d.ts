import type { NodeOf } from '@bpc/compiler';
import type { LoweringContext } from './context.js';
/** Lowers a convolution to the cheapest form that fits its geometry; the result is tiled. */
export declare function lowerConv(node: NodeOf<'Conv'>, context: LoweringContext): string;
/** Lowers the gradient of a convolution with respect to its input; the result is tiled. */
export declare function lowerConvInputGrad(node: NodeOf<'ConvInputGrad'>, context: LoweringContext): string;
/** Lowers the gradient of a convolution with respect to its filter; the result is HWIO. */
export declare function lowerConvFilterGrad(node: NodeOf<'ConvFilterGrad'>, context: LoweringContext): string;
//# sourceMappingURL=convolution.d.ts.map