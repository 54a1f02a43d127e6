import type { NodeOf } from '@bpc/compiler';
import type { LoweringContext } from './context.js';
/** Any convolution, by ONNX `Conv`; the result is tiled. */
export declare function genericConv(node: NodeOf<'Conv'>, context: LoweringContext): string;
/** Gradient of any convolution with respect to its input, by ONNX `ConvTranspose`; the result is tiled. */
export declare function genericInputGrad(node: NodeOf<'ConvInputGrad'>, context: LoweringContext): string;
/**
 * Gradient of any convolution with respect to its filter; the result is HWIO.
 *
 * A convolution of x with dy as filter, the batch taking the part of the channels; strides and dilations change roles.
 */
export declare function genericFilterGrad(node: NodeOf<'ConvFilterGrad'>, context: LoweringContext): string;
//# sourceMappingURL=generic-conv.d.ts.map