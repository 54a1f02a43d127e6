import type { Attribute, ElementType, Initializer, OnnxNode } from './serialize.js';

type Attributes = Readonly<Record<string, Attribute>>;
const ALIGNED_BYTES: Record<ElementType, (values: ArrayLike<number>) => ArrayBufferLike> = {
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
  readonly nodes: OnnxNode[] = [];
  readonly initializers: Initializer[] = [];
  /** Prefix of the next nodes' names: which node of the program they come from. Profiles and errors show it. */
  label = '';
  readonly #memo = new Map<string, readonly string[]>();
  readonly #constants = new Map<string, string>();
  /** Shapes of values, where known. */
  readonly #shapes = new Map<string, readonly number[]>();
  /** Results of reshapes → what was reshaped. */
  readonly #reshaped = new Map<string, string>();
  #count = 0;
  readonly #fusedMatMul: boolean;

  /** `fusedMatMul`: whether the provider has a product that takes transposed operands. */
  constructor({ fusedMatMul = true }: { readonly fusedMatMul?: boolean } = {}) {
    this.#fusedMatMul = fusedMatMul;
  }

  /** Appends an operation with one output, unless it is already there. */
  op(op: string, inputs: readonly string[], attributes: Attributes = {}, domain = ''): string {
    const [output = ''] = this.operation(op, inputs, 1, attributes, domain);
    return output;
  }

  /** Appends an operation with `outputCount` outputs, unless it is already there. */
  operation(op: string, inputs: readonly string[], outputCount: number, attributes: Attributes = {}, domain = ''): readonly string[] {
    const key = `${op}|${inputs.join()}|${outputCount}|${JSON.stringify(attributes)}`;
    const known = this.#memo.get(key);
    if (known !== undefined) return known;
    const outputs = Array.from({ length: outputCount }, () => `v${this.#count++}`);
    this.nodes.push({ name: `${this.label}/${outputs[0]}`, op, domain, inputs, outputs, attributes });
    this.#memo.set(key, outputs);
    return outputs;
  }

  constant(values: ArrayLike<number>, shape: readonly number[], type: ElementType = 'float32'): string {
    const key = values.length <= LARGEST_SHARED_CONSTANT ? `${type}|${shape.join()}|${Array.from(values, literal).join()}` : undefined;
    const known = key === undefined ? undefined : this.#constants.get(key);
    if (known !== undefined) return known;
    const name = `c${this.#count++}`;
    this.initializers.push({ name, type, shape, bytes: new Uint8Array(ALIGNED_BYTES[type](values)) });
    if (key !== undefined) this.#constants.set(key, name);
    return name;
  }

  integers(values: readonly number[]): string {
    return this.constant(values, [values.length], 'int64');
  }

  scalar(value: number, rank: number, type: ElementType = 'float32'): string {
    return this.constant([value], Array<number>(rank).fill(1), type);
  }

  /** Records the shape of a value, so that reshaping to it and back again costs nothing. */
  describe(x: string, shape: readonly number[]): void {
    if (!this.#shapes.has(x)) this.#shapes.set(x, shape);
  }

  reshape(x: string, shape: readonly number[]): string {
    const source = this.#reshaped.get(x) ?? x;
    if (sameShape(this.#shapes.get(source), shape)) return source;
    const result = this.op('Reshape', [source, this.integers(shape)]);
    this.#reshaped.set(result, source);
    this.#shapes.set(result, shape);
    return result;
  }

  /** The nodes that `outputs` need, in order. */
  needed(outputs: Iterable<string>): readonly OnnxNode[] {
    const wanted = new Set(outputs);
    const kept: OnnxNode[] = [];
    for (const node of this.nodes.toReversed()) {
      if (!node.outputs.some((name) => wanted.has(name))) continue;
      kept.push(node);
      for (const name of node.inputs) wanted.add(name);
    }
    return kept.reverse();
  }

  transpose(x: string, perm: readonly number[]): string {
    if (perm.every((axis, i) => axis === i)) return x;
    const result = this.op('Transpose', [x], { perm });
    const shape = this.#shapes.get(x);
    if (shape !== undefined)
      this.describe(
        result,
        perm.map((axis) => shape[axis] ?? 1),
      );
    return result;
  }

  /** Product of the last two axes, either operand transposed; leading axes broadcast. */
  matMul(a: string, b: string, transposeA = false, transposeB = false): string {
    if (!transposeA && !transposeB) return this.op('MatMul', [a, b]);
    const [rankA, rankB] = [this.#shapes.get(a)?.length, this.#shapes.get(b)?.length];
    if (!this.#fusedMatMul && rankA !== undefined && rankB !== undefined) {
      const flip = (x: string, rank: number) => this.transpose(x, [...Array(rank - 2).keys(), rank - 1, rank - 2]);
      return this.op('MatMul', [transposeA ? flip(a, rankA) : a, transposeB ? flip(b, rankB) : b]);
    }
    return this.op('FusedMatMul', [a, b], { transA: Number(transposeA), transB: Number(transposeB) }, 'com.microsoft');
  }

  slice(x: string, starts: readonly number[], ends: readonly number[], axes: readonly number[], steps?: readonly number[]): string {
    const bounds = [x, this.integers(starts), this.integers(ends), this.integers(axes)];
    return this.op('Slice', steps?.some((step) => step !== 1) ? [...bounds, this.integers(steps)] : bounds);
  }

  /** Pads with `value`; a negative count crops. `before` and `after` have one entry per axis of `x`. */
  pad(x: string, before: readonly number[], after: readonly number[], value?: string): string {
    if (before.every((count) => count === 0) && after.every((count) => count === 0)) return x;
    return this.op('Pad', [x, this.integers([...before, ...after]), ...(value === undefined ? [] : [value])]);
  }

  concat(parts: readonly string[], axis: number): string {
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : this.op('Concat', parts, { axis });
  }
}

const sameShape = (a: readonly number[] | undefined, b: readonly number[]): boolean =>
  a !== undefined && a.length === b.length && a.every((length, i) => length === b[i]);

// -0 and 0 print alike but are different constants.
function literal(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}
