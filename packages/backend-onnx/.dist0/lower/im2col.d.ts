import type { NodeOf } from '@bpc/compiler';
import type { LoweringContext } from './context.js';
/** A convolution with few input channels as one matrix product; the result is tiled. */
export declare function fewChannels(node: NodeOf<'Conv'>, context: LoweringContext): string;
/** Gradient with respect to the filter for few input channels; shares the columns with the convolution. */
export declare function fewChannelsFilterGrad(node: NodeOf<'ConvFilterGrad'>, context: LoweringContext): string;
/**
 * Gradient with respect to an input of few channels, for stride 1; the result is tiled.
 *
 * One matrix product gives a plane per tap; each plane is shifted to where its tap lies (a pad, negative where it crops)
 * and the planes are added.
 */
export declare function fewChannelsInputGrad(node: NodeOf<'ConvInputGrad'>, context: LoweringContext): string;
//# sourceMappingURL=im2col.d.ts.map