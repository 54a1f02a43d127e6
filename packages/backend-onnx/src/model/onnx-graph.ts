import { earliestFirst } from './schedule.js';
import type { Attribute, ElementType, Initializer, OnnxNode, Subgraph } from './serialize.js';

type Attributes = Readonly<Record<string, Attribute>>;
const ALIGNED_BYTES: Record<ElementType, (values: ArrayLike<number>) => ArrayBufferLike> = {
  float32: (values) => Float32Array.from(values).buffer,
  int32: (values) => Int32Array.from(values).buffer,
  int64: (values) => BigInt64Array.from(Array.from(values, (value) => BigInt(value))).buffer,
  bool: (values) => Uint8Array.from(values).buffer,
};

/** What the kernels of a provider can do; see `LoweringOptions`. */
type Kernels = { readonly fusedMatMul: boolean; readonly rareKernels: boolean };

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
  readonly #kernels: Kernels;
  readonly #parent: OnnxGraph | undefined;
  /** Values that exist here only: inputs of a loop's body, and what depends on them. */
  readonly #own = new Set<string>();

  constructor({ fusedMatMul = true, rareKernels = true }: Partial<Kernels> = {}, parent?: OnnxGraph) {
    this.#kernels = { fusedMatMul, rareKernels };
    this.#parent = parent;
  }

  /**
   * The graph of a loop's body. What does not depend on its inputs is computed outside, once, and shared with what is there.
   */
  body(inputs: readonly string[]): OnnxGraph {
    const inner = new OnnxGraph(this.#kernels, this);
    for (const name of inputs) inner.#own.add(name);
    return inner;
  }

  /** A name that no other value has. */
  fresh(prefix: string): string {
    return this.#parent === undefined ? `${prefix}${this.#count++}` : this.#parent.fresh(prefix);
  }

  /** Names of the values of a new node, which is never merged with another. */
  append(node: Omit<OnnxNode, 'name' | 'outputs'>, outputCount: number): readonly string[] {
    const outputs = Array.from({ length: outputCount }, () => this.fresh('v'));
    for (const name of outputs) this.#own.add(name);
    this.nodes.push({ ...node, name: `${this.label}/${outputs[0]}`, outputs });
    return outputs;
  }

  /** Whether a node of this graph, and not one around it, computes `x`. */
  computes(x: string): boolean {
    return this.nodes.some(({ outputs }) => outputs.includes(x));
  }

  /** `x` under a name of its own, as outputs of a graph must have. */
  copy(x: string): string {
    const [name = ''] = this.append({ op: 'Identity', domain: '', inputs: [x], attributes: {} }, 1);
    return name;
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
    if (this.#parent !== undefined && !inputs.some((name) => this.#own.has(name))) {
      return this.#parent.operation(op, inputs, outputCount, attributes, domain);
    }
    const outputs = this.append({ op, domain, inputs, attributes }, outputCount);
    this.#memo.set(key, outputs);
    return outputs;
  }

  constant(values: ArrayLike<number>, shape: readonly number[], type: ElementType = 'float32'): string {
    if (this.#parent !== undefined) return this.#parent.constant(values, shape, type);
    const key = values.length <= LARGEST_SHARED_CONSTANT ? `${type}|${shape.join()}|${Array.from(values, literal).join()}` : undefined;
    const known = key === undefined ? undefined : this.#constants.get(key);
    if (known !== undefined) return known;
    const name = this.fresh('c');
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

  #shapeOf(x: string): readonly number[] | undefined {
    const shape = this.#shapes.get(x);
    return shape === undefined && this.#parent !== undefined ? this.#parent.#shapeOf(x) : shape;
  }

  #sourceOf(x: string): string {
    return this.#reshaped.get(x) ?? (this.#parent === undefined ? x : this.#parent.#sourceOf(x));
  }

  reshape(x: string, shape: readonly number[]): string {
    const source = this.#sourceOf(x);
    if (sameShape(this.#shapeOf(source), shape)) return source;
    const result = this.op('Reshape', [source, this.integers(shape)]);
    this.#reshaped.set(result, source);
    this.#shapes.set(result, shape);
    return result;
  }

  /** What `x` is a reshape of, where its shape is known: the same values, which need no copy as an output of the graph. */
  unshaped(x: string): { readonly name: string; readonly shape: readonly number[] } | undefined {
    const name = this.#reshaped.get(x);
    const shape = name === undefined ? undefined : this.#shapes.get(name);
    return name === undefined || shape === undefined ? undefined : { name, shape };
  }

  /** The nodes that `outputs` need, in the order in which they should run. */
  needed(outputs: Iterable<string>): readonly OnnxNode[] {
    const wanted = new Set(outputs);
    const kept: OnnxNode[] = [];
    for (const node of this.nodes.toReversed()) {
      if (!node.outputs.some((name) => wanted.has(name))) continue;
      kept.push(node);
      for (const name of usedBy(node)) wanted.add(name);
    }
    return earliestFirst(kept.reverse(), usedBy);
  }

  transpose(x: string, perm: readonly number[]): string {
    if (perm.every((axis, i) => axis === i)) return x;
    const result = this.op('Transpose', [x], { perm });
    const shape = this.#shapeOf(x);
    if (shape !== undefined)
      this.describe(
        result,
        perm.map((axis) => shape[axis] ?? 1),
      );
    return result;
  }

  /** The sum of values of one shape. */
  sum(terms: readonly string[]): string {
    if (this.#kernels.rareKernels && terms.length > 1) return this.op('Sum', terms);
    return terms.reduce((total, term) => this.op('Add', [total, term]));
  }

  /** Logical or. */
  or(a: string, b: string): string {
    if (this.#kernels.rareKernels) return this.op('Or', [a, b]);
    return this.op('Not', [this.op('And', [this.op('Not', [a]), this.op('Not', [b])])]);
  }

  /** Whether elements are not a number. */
  isNaN(x: string): string {
    return this.#kernels.rareKernels ? this.op('IsNaN', [x]) : this.op('Not', [this.op('Equal', [x, x])]);
  }

  /** Product of the last two axes, either operand transposed; leading axes broadcast. */
  matMul(a: string, b: string, transposeA = false, transposeB = false): string {
    if (!transposeA && !transposeB) return this.op('MatMul', [a, b]);
    const [rankA, rankB] = [this.#shapeOf(a)?.length, this.#shapeOf(b)?.length];
    if (!this.#kernels.fusedMatMul && rankA !== undefined && rankB !== undefined) {
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

/** Names that a node reads, those in bodies included. */
function usedBy(node: OnnxNode): string[] {
  const bodies = Object.values(node.attributes).flatMap((value) => (isBody(value) ? [value.graph] : []));
  return [...node.inputs, ...bodies.flatMap(({ nodes, outputs }) => [...nodes.flatMap(usedBy), ...outputs.map(({ name }) => name)])];
}

const isBody = (value: Attribute): value is { readonly graph: Subgraph } => typeof value === 'object' && 'graph' in value;

const sameShape = (a: readonly number[] | undefined, b: readonly number[]): boolean =>
  a !== undefined && a.length === b.length && a.every((length, i) => length === b[i]);

// -0 and 0 print alike but are different constants.
function literal(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}
