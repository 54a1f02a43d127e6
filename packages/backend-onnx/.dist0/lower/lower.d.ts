import { type Graph } from '@bpc/compiler';
import type { OnnxModel } from '../model/serialize.js';
/** A lowered graph: the model, and which of the graph's inputs it takes, in the order of `model.inputs`. */
export interface Lowered {
    readonly model: OnnxModel;
    readonly inputIndices: readonly number[];
}
/**
 * Lowers a program to an ONNX model.
 *
 * @throws MissingKernelError naming the operation that has no lowering and the traced function.
 */
export declare function lowerGraph(graph: Graph, targetName: string): Lowered;
//# sourceMappingURL=lower.d.ts.map