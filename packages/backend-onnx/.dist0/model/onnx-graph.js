const ALIGNED_BYTES = {
    float32: (values) => Float32Array.from(values).buffer,
    int32: (values) => Int32Array.from(values).buffer,
    int64: (values) => BigInt64Array.from(Array.from(values, (value) => BigInt(value))).buffer,
    bool: (values) => Uint8Array.from(values).buffer,
};
/** Constants above this many elements are stored without looking for an equal one. */
const LARGEST_SHARED_CONSTANT = 4096;
/**
 * Collects ONNX nodes. Values are names; an operation applied twice to the same names gives the same name, which is how
 * the transforms of a convolution and of its two gradients are shared.
 */
export class OnnxGraph {
    nodes = [];
    initializers = [];
    /** Prefix of the next nodes' names: which node of the program they come from. Profiles and errors show it. */
    label = '';
    #memo = new Map();
    #constants = new Map();
    /** Shapes of values, where known. */
    #shapes = new Map();
    /** Results of reshapes → what was reshaped. */
    #reshaped = new Map();
    #count = 0;
    /** Appends an operation with one output, unless it is already there. */
    op(op, inputs, attributes = {}, domain = '') {
        const [output = ''] = this.operation(op, inputs, 1, attributes, domain);
        return output;
    }
    /** Appends an operation with `outputCount` outputs, unless it is already there. */
    operation(op, inputs, outputCount, attributes = {}, domain = '') {
        const key = `${op}|${inputs.join()}|${outputCount}|${JSON.stringify(attributes)}`;
        const known = this.#memo.get(key);
        if (known !== undefined)
            return known;
        const outputs = Array.from({ length: outputCount }, () => `v${this.#count++}`);
        this.nodes.push({ name: `${this.label}/${outputs[0]}`, op, domain, inputs, outputs, attributes });
        this.#memo.set(key, outputs);
        return outputs;
    }
    constant(values, shape, type = 'float32') {
        const key = values.length <= LARGEST_SHARED_CONSTANT ? `${type}|${shape.join()}|${Array.from(values, literal).join()}` : undefined;
        const known = key === undefined ? undefined : this.#constants.get(key);
        if (known !== undefined)
            return known;
        const name = `c${this.#count++}`;
        this.initializers.push({ name, type, shape, bytes: new Uint8Array(ALIGNED_BYTES[type](values)) });
        if (key !== undefined)
            this.#constants.set(key, name);
        return name;
    }
    integers(values) {
        return this.constant(values, [values.length], 'int64');
    }
    scalar(value, rank, type = 'float32') {
        return this.constant([value], Array(rank).fill(1), type);
    }
    /** Records the shape of a value, so that reshaping to it and back again costs nothing. */
    describe(x, shape) {
        if (!this.#shapes.has(x))
            this.#shapes.set(x, shape);
    }
    reshape(x, shape) {
        const source = this.#reshaped.get(x) ?? x;
        if (sameShape(this.#shapes.get(source), shape))
            return source;
        const result = this.op('Reshape', [source, this.integers(shape)]);
        this.#reshaped.set(result, source);
        this.#shapes.set(result, shape);
        return result;
    }
    /** The nodes that `outputs` need, in order. */
    needed(outputs) {
        const wanted = new Set(outputs);
        const kept = [];
        for (const node of this.nodes.toReversed()) {
            if (!node.outputs.some((name) => wanted.has(name)))
                continue;
            kept.push(node);
            for (const name of node.inputs)
                wanted.add(name);
        }
        return kept.reverse();
    }
    transpose(x, perm) {
        return perm.every((axis, i) => axis === i) ? x : this.op('Transpose', [x], { perm });
    }
    /** Product of the last two axes, either operand transposed; leading axes broadcast. */
    matMul(a, b, transposeA = false, transposeB = false) {
        if (!transposeA && !transposeB)
            return this.op('MatMul', [a, b]);
        return this.op('FusedMatMul', [a, b], { transA: Number(transposeA), transB: Number(transposeB) }, 'com.microsoft');
    }
    slice(x, starts, ends, axes, steps) {
        const bounds = [x, this.integers(starts), this.integers(ends), this.integers(axes)];
        return this.op('Slice', steps?.some((step) => step !== 1) ? [...bounds, this.integers(steps)] : bounds);
    }
    /** Pads with `value`; a negative count crops. `before` and `after` have one entry per axis of `x`. */
    pad(x, before, after, value) {
        if (before.every((count) => count === 0) && after.every((count) => count === 0))
            return x;
        return this.op('Pad', [x, this.integers([...before, ...after]), ...(value === undefined ? [] : [value])]);
    }
    concat(parts, axis) {
        const [only] = parts;
        return parts.length === 1 && only !== undefined ? only : this.op('Concat', parts, { axis });
    }
}
const sameShape = (a, b) => a !== undefined && a.length === b.length && a.every((length, i) => length === b[i]);
// -0 and 0 print alike but are different constants.
function literal(value) {
    return Object.is(value, -0) ? '-0' : String(value);
}
//# sourceMappingURL=onnx-graph.js.map