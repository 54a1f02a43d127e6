import type { Attribute, ElementType, Initializer, OnnxNode } from './serialize.js';
type Attributes = Readonly<Record<string, Attribute>>;
/**
 * Collects ONNX nodes. Values are names; an operation applied twice to the same names gives the same name, which is how
 * the transforms of a convolution and of its two gradients are shared.
 */
export declare class OnnxGraph {
    #private;
    readonly nodes: OnnxNode[];
    readonly initializers: Initializer[];
    /** Prefix of the next nodes' names: which node of the program they come from. Profiles and errors show it. */
    label: string;
    /** Appends an operation with one output, unless it is already there. */
    op(op: string, inputs: readonly string[], attributes?: Attributes, domain?: string): string;
    /** Appends an operation with `outputCount` outputs, unless it is already there. */
    operation(op: string, inputs: readonly string[], outputCount: number, attributes?: Attributes, domain?: string): readonly string[];
    constant(values: ArrayLike<number>, shape: readonly number[], type?: ElementType): string;
    integers(values: readonly number[]): string;
    scalar(value: number, rank: number, type?: ElementType): string;
    /** Records the shape of a value, so that reshaping to it and back again costs nothing. */
    describe(x: string, shape: readonly number[]): void;
    reshape(x: string, shape: readonly number[]): string;
    /** The nodes that `outputs` need, in order. */
    needed(outputs: Iterable<string>): readonly OnnxNode[];
    transpose(x: string, perm: readonly number[]): string;
    /** Product of the last two axes, either operand transposed; leading axes broadcast. */
    matMul(a: string, b: string, transposeA?: boolean, transposeB?: boolean): string;
    slice(x: string, starts: readonly number[], ends: readonly number[], axes: readonly number[], steps?: readonly number[]): string;
    /** Pads with `value`; a negative count crops. `before` and `after` have one entry per axis of `x`. */
    pad(x: string, before: readonly number[], after: readonly number[], value?: string): string;
    concat(parts: readonly string[], axis: number): string;
}
export {};
//# sourceMappingURL=onnx-graph.d.ts.map