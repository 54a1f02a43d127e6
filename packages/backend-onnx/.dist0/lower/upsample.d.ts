import type { Node, NodeOf } from '@bpc/compiler';
import type { LoweringContext } from './context.js';
/**
 * True if the gradient of an average pooling is a plain upsampling divided by the window's area: windows that neither
 * overlap nor are padded, and cover the image exactly.
 */
export declare function isUpsampling(node: Node): node is NodeOf<'AvgPoolGrad'>;
/** Writes an upsampling out. */
export declare function lowerUpsampling(node: NodeOf<'AvgPoolGrad'>, context: LoweringContext): string;
/**
 * `op(full, upsampling)` as one broadcasting operation, so that the upsampled gradient is never written out.
 * Undefined if `node` is not of that form.
 */
export declare function broadcastUpsampled(op: string, node: Node, context: LoweringContext): string | undefined;
//# sourceMappingURL=upsample.d.ts.map