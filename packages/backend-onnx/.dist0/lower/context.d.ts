import type { Node } from '@bpc/compiler';
import { OnnxGraph } from '../model/onnx-graph.js';
import { type Layout } from './layout.js';
/** What a lowering sees of the program: values in the layout it wants, and the ONNX graph to append to. */
export declare class LoweringContext {
    #private;
    readonly onnx: OnnxGraph;
    /** `emit` lowers one node and returns the name of its value in the node's layout. */
    constructor(layouts: ReadonlyMap<Node, Layout>, emit: (node: Node, context: LoweringContext) => string);
    layoutOf(node: Node): Layout;
    /** ONNX name of a node's value as it is stored. */
    stored(node: Node): string;
    /** Shape of a node's value as it is stored. */
    storedShape(node: Node): readonly number[];
    /** Where a logical axis of a node is stored. */
    storedAxis(node: Node, axis: number): number;
    /** One entry per logical axis → one per stored axis. */
    storedList<T>(node: Node, list: readonly T[]): T[];
    /** A node's value with its logical axes in the order `perm`: a reshape where only unit axes move. */
    permuted(node: Node, perm: readonly number[]): string;
    /** A node's value as tfjs sees it. */
    rows(node: Node): string;
    /** A node's value as [H, W, N, C]; values of lower rank get the unit axes that broadcasting needs. */
    tiles(node: Node): string;
    inLayout(node: Node, layout: Layout): string;
}
//# sourceMappingURL=context.d.ts.map