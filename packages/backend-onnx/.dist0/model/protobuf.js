/**
 * Writes the protobuf wire format: just what an ONNX model needs.
 *
 * Written here because the published ONNX bindings carry a whole protobuf runtime, which a browser bundle would pay for.
 */
export class ProtobufWriter {
    #bytes = new Uint8Array(1024);
    #length = 0;
    #text = new TextEncoder();
    /** A varint field. Negative values are written as 64-bit two's complement. */
    integer(field, value) {
        this.#varint(field * 8);
        this.#varint(value);
    }
    float(field, value) {
        this.#varint(field * 8 + 5);
        this.#reserve(4);
        new DataView(this.#bytes.buffer).setFloat32(this.#length, value, true);
        this.#length += 4;
    }
    bytes(field, value) {
        this.#varint(field * 8 + 2);
        this.#varint(value.length);
        this.#reserve(value.length);
        this.#bytes.set(value, this.#length);
        this.#length += value.length;
    }
    string(field, value) {
        this.bytes(field, this.#text.encode(value));
    }
    message(field, write) {
        const inner = new ProtobufWriter();
        write(inner);
        this.bytes(field, inner.finish());
    }
    /** The bytes so far: a view that the next write may overwrite. */
    finish() {
        return this.#bytes.subarray(0, this.#length);
    }
    #varint(value) {
        this.#reserve(10);
        if (value < 0) {
            let rest = BigInt.asUintN(64, BigInt(value));
            while (rest > 127n) {
                this.#bytes[this.#length++] = Number(rest & 127n) | 128;
                rest >>= 7n;
            }
            this.#bytes[this.#length++] = Number(rest);
            return;
        }
        let rest = value;
        while (rest > 127) {
            this.#bytes[this.#length++] = (rest % 128) | 128;
            rest = Math.floor(rest / 128);
        }
        this.#bytes[this.#length++] = rest;
    }
    #reserve(count) {
        if (this.#length + count <= this.#bytes.length)
            return;
        const grown = new Uint8Array(Math.max(this.#length + count, 2 * this.#bytes.length));
        grown.set(this.finish());
        this.#bytes = grown;
    }
}
//# sourceMappingURL=protobuf.js.map