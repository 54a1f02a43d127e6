/**
 * Writes the protobuf wire format: just what an ONNX model needs.
 *
 * Written here because the published ONNX bindings carry a whole protobuf runtime, which a browser bundle would pay for.
 */
export declare class ProtobufWriter {
    #private;
    /** A varint field. Negative values are written as 64-bit two's complement. */
    integer(field: number, value: number): void;
    float(field: number, value: number): void;
    bytes(field: number, value: Uint8Array): void;
    string(field: number, value: string): void;
    message(field: number, write: (writer: ProtobufWriter) => void): void;
    /** The bytes so far: a view that the next write may overwrite. */
    finish(): Uint8Array;
}
//# sourceMappingURL=protobuf.d.ts.map