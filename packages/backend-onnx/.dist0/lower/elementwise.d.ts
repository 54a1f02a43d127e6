import type { Binary, Compare, NodeOf, Unary } from '@bpc/compiler';
import type { LoweringContext } from './context.js';
/** Lowers functions of one argument. */
export declare function lowerUnary(node: NodeOf<Unary>, context: LoweringContext): string;
/** Lowers functions of two arguments. int32 with int32 stays int32, anything else is computed in float32. */
export declare function lowerBinary(node: NodeOf<Binary>, context: LoweringContext): string;
/** Lowers comparisons and logic; the result is bool. */
export declare function lowerCompare(node: NodeOf<Compare>, context: LoweringContext): string;
/** Lowers `condition ? a : b`. */
export declare function lowerSelect(node: NodeOf<'Select'>, context: LoweringContext): string;
/** Lowers a change of element type; float32 → int32 truncates. */
export declare function lowerCast(node: NodeOf<'Cast'>, context: LoweringContext): string;
//# sourceMappingURL=elementwise.d.ts.map