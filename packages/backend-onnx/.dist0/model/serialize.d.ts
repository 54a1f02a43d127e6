/** ONNX `TensorProto.DataType` numbers. */
export declare const ELEMENT_TYPE: {
    readonly float32: 1;
    readonly int32: 6;
    readonly int64: 7;
    readonly bool: 9;
};
export type ElementType = keyof typeof ELEMENT_TYPE;
/** Attribute value: integers, lists of integers and text as they are; floats wrapped, since 1 is also an integer. */
export type Attribute = number | readonly number[] | string | {
    readonly float: number;
};
export interface OnnxNode {
    readonly name: string;
    readonly op: string;
    readonly domain: string;
    readonly inputs: readonly string[];
    readonly outputs: readonly string[];
    readonly attributes: Readonly<Record<string, Attribute>>;
}
export interface Initializer {
    readonly name: string;
    readonly type: ElementType;
    readonly shape: readonly number[];
    readonly bytes: Uint8Array;
}
/** A named, typed graph input or output. */
export interface ValueInfo {
    readonly name: string;
    readonly type: ElementType;
    readonly shape: readonly number[];
}
export interface OnnxModel {
    readonly name: string;
    readonly nodes: readonly OnnxNode[];
    readonly initializers: readonly Initializer[];
    readonly inputs: readonly ValueInfo[];
    readonly outputs: readonly ValueInfo[];
}
/** An ONNX `ModelProto`, ready for `InferenceSession.create`. */
export declare function serializeModel(model: OnnxModel): Uint8Array;
//# sourceMappingURL=serialize.d.ts.map