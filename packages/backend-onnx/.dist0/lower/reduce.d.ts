import type { NodeOf, Reduce } from '@bpc/compiler';
import type { LoweringContext } from './context.js';
/** Lowers a reduction that keeps its axes. */
export declare function lowerReduce(node: NodeOf<Reduce>, context: LoweringContext): string;
/** Lowers the index of the first maximum. */
export declare function lowerArgMax(node: NodeOf<'ArgMax'>, context: LoweringContext): string;
/** Lowers the cumulative sum along an axis. */
export declare function lowerCumSum(node: NodeOf<'CumSum'>, context: LoweringContext): string;
//# sourceMappingURL=reduce.d.ts.map