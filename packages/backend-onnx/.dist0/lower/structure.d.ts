import type { NodeOf } from '@bpc/compiler';
import type { LoweringContext } from './context.js';
export declare function lowerBroadcast(node: NodeOf<'Broadcast'>, context: LoweringContext): string;
export declare function lowerReshape(node: NodeOf<'Reshape'>, context: LoweringContext): string;
export declare function lowerTranspose(node: NodeOf<'Transpose'>, context: LoweringContext): string;
export declare function lowerSlice(node: NodeOf<'Slice'>, context: LoweringContext): string;
export declare function lowerPad(node: NodeOf<'Pad'>, context: LoweringContext): string;
export declare function lowerConcat(node: NodeOf<'Concat'>, context: LoweringContext): string;
export declare function lowerReverse(node: NodeOf<'Reverse'>, context: LoweringContext): string;
export declare function lowerGather(node: NodeOf<'Gather'>, context: LoweringContext): string;
export declare function lowerScatterAdd(node: NodeOf<'ScatterAdd'>, context: LoweringContext): string;
export declare function lowerMatMul(node: NodeOf<'MatMul'>, context: LoweringContext): string;
//# sourceMappingURL=structure.d.ts.map