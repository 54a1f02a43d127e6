/** Element types of the IR. Targets may compute float32 values in float64. */
export type DType = 'float32' | 'int32' | 'bool';
export type Shape = readonly number[];

/** Element-wise functions of one argument. `Step` is 1 where x > 0, else 0 (so 0 at 0). */
export const UNARY = [
  'Neg',
  'Exp',
  'Expm1',
  'Log',
  'Log1p',
  'Relu',
  'Sqrt',
  'Sigmoid',
  'Softplus',
  'Tanh',
  'Abs',
  'Sign',
  'Reciprocal',
  'Step',
  'Sin',
  'Cos',
  'Tan',
  'Asin',
  'Acos',
  'Atan',
  'Sinh',
  'Cosh',
  'Asinh',
  'Acosh',
  'Atanh',
  'Floor',
  'Ceil',
  'Round',
  'Erf',
  'LogicalNot',
] as const;
/**
 * Element-wise functions of two arguments with NumPy broadcasting; float32 result unless both are int32. `Atan2(y, x)` is the
 * angle of the point (x, y); `BitwiseAnd` takes int32 only.
 */
export const BINARY = ['Add', 'Sub', 'Mul', 'Div', 'Pow', 'Maximum', 'Minimum', 'FloorDiv', 'FloorMod', 'Atan2', 'BitwiseAnd'] as const;
/** Comparisons and logic with NumPy broadcasting; bool result. */
export const COMPARE = ['Greater', 'GreaterEqual', 'Less', 'LessEqual', 'Equal', 'NotEqual', 'LogicalAnd', 'LogicalOr'] as const;
/** Reductions over `axes`; reduced axes stay with length 1. */
export const REDUCE = ['Sum', 'Max', 'Min', 'Prod'] as const;

export type Unary = (typeof UNARY)[number];
export type Binary = (typeof BINARY)[number];
export type Compare = (typeof COMPARE)[number];
export type Reduce = (typeof REDUCE)[number];

/** Geometry of a 2-D convolution or pooling over NHWC values; `padding` is [top, left, bottom, right]. */
export type Window = {
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  readonly padding: readonly [number, number, number, number];
};

/** Attributes of every operation; operations not listed here have `{}`. */
export type AttributesOf = {
  /** `index` is the position in the program's input list. */
  Input: { readonly index: number };
  /** Row-major values, kept in float64: literals are recovered as the shortest decimal of their float32. */
  Const: { readonly values: ArrayLike<number> };
  /** (x) → `shape`, NumPy broadcasting. */
  Broadcast: object;
  Reshape: object;
  Transpose: { readonly perm: readonly number[] };
  /** (x) → window of the node's shape starting at `begin`, every `strides`-th element (1 unless given, > 0). */
  Slice: { readonly begin: readonly number[]; readonly strides: readonly number[] };
  /** (x) → padded with `value`; `paddings` is [[before, after], …]. */
  Pad: { readonly paddings: readonly (readonly [number, number])[]; readonly value: number };
  Concat: { readonly axis: number };
  Reverse: { readonly axes: readonly number[] };
  /** (condition, a, b) → a where condition, else b; broadcasts. */
  Select: object;
  Cast: object;
  Sum: { readonly axes: readonly number[] };
  Max: { readonly axes: readonly number[] };
  Min: { readonly axes: readonly number[] };
  Prod: { readonly axes: readonly number[] };
  /** (x) → int32 index of the first maximum along `axis`, axis removed. */
  ArgMax: { readonly axis: number };
  /** (x) → int32 positions along the last axis of the `k` largest elements, largest first, of equal ones the first; shape [..., k]. */
  TopK: { readonly k: number };
  /** (a, b) → batched matrix product of the last two axes; leading axes broadcast. */
  MatMul: { readonly transposeA: boolean; readonly transposeB: boolean };
  /** (a […, n, n]) → Cholesky factors of the symmetric parts, zero above the diagonal; NaN below where there is none. */
  Cholesky: object;
  /** (l […, n, n], b […, n, m]) → X with tril(l) X = b, or with tril(l)ᵀ X = b. */
  TriangularSolve: { readonly transpose: boolean };
  /** (x NHWC, filter HWIO) → NHWC cross-correlation. */
  Conv: Window;
  /** (dy NHWC, filter HWIO) → gradient of Conv with respect to x (the node's shape). */
  ConvInputGrad: Window;
  /** (x NHWC, dy NHWC) → gradient of Conv with respect to the filter (the node's shape). */
  ConvFilterGrad: Window;
  /** (x NHWC) → mean over the valid elements of each window (padding not counted). */
  AvgPool: Window;
  /** (dy NHWC) → gradient of AvgPool with respect to x (the node's shape). */
  AvgPoolGrad: Window;
  /** (x NHWC) → maximum over each window. */
  MaxPool: Window;
  /** (dy, x) → gradient of MaxPool with respect to x: dy at the first maximum of each window. */
  MaxPoolGrad: Window;
  /** (v, x) → v at the first maximum of each window of x: the adjoint of MaxPoolGrad in dy. */
  MaxPoolGather: Window;
  /** (x [n, …], index int32 [k…]) → rows of x, shape [k…, …]. */
  Gather: object;
  /** (rows [k, …], index int32 [k]) → sum of the rows with each index, shape [n, …] (the node's shape). */
  ScatterAdd: object;
  /** (x) → cumulative sum along `axis`. */
  CumSum: { readonly axis: number; readonly exclusive: boolean; readonly reverse: boolean };
  /** (states…, xs…, invariants…) → a loop; its results are `ScanOutput`s, which its own flat shape only counts. */
  Scan: ScanAttributes;
  /** (scan) → result number `index`: the states after the loop, then the stacked results of the iterations. */
  ScanOutput: { readonly index: number };
};

/**
 * A loop. The inputs of `body` are those of the node, with one row of each of the `xs`; its outputs are the next states and
 * the results of the iteration. What the body needs from outside is an invariant: bodies refer to nothing else.
 */
export type ScanAttributes = { readonly length: number; readonly states: number; readonly xs: number; readonly body: Graph };

export type Op = Unary | Binary | Compare | keyof AttributesOf;
export type Attributes<O extends Op> = O extends keyof AttributesOf ? AttributesOf[O] : object;

/** One value of a program: immutable, hash-consed within its graph. */
export type NodeOf<O extends Op> = {
  readonly id: number;
  readonly op: O;
  readonly inputs: readonly Node[];
  readonly attributes: Attributes<O>;
  readonly shape: Shape;
  readonly dtype: DType;
};

/** Discriminated by `op`, so that `switch (node.op)` narrows the attributes. */
export type Node = { [O in Op]: NodeOf<O> }[Op];

/** A traced program: what every target lowers. Inputs that no output needs stay listed. */
export interface Graph {
  readonly inputs: readonly NodeOf<'Input'>[];
  readonly outputs: readonly Node[];
  /** Positions of inputs that stay the same over calls: given once to `Executable.bind`, where a target has it. */
  readonly fixed?: readonly number[];
  /** Name of the traced function and of its inputs and outputs, for messages and printing. */
  readonly name: string;
}

/** A lowered program. Arrays are in the order of the graph's inputs and outputs. */
export interface Executable {
  /**
   * Runs once. Float32 inputs may come as Float64Array on targets that compute in float64. Returned arrays are fresh and
   * owned by the caller.
   */
  run(
    inputs: readonly (Float32Array | Float64Array | Int32Array | Uint8Array)[],
  ): Promise<readonly (Float32Array | Float64Array | Int32Array | Uint8Array)[]>;
  /**
   * Runs once and writes into `outputs`, float64 whatever the dtype. Only on targets that compute in this thread; such a
   * target keeps neither array.
   */
  runSync?(inputs: readonly Float64Array[], outputs: readonly Float64Array[]): void;
  /**
   * Keeps copies of the given inputs for all calls of `runSync` to come, which does not read their positions again. For data
   * that stay the same: a target may keep them in a layout of its own.
   */
  bind?(inputs: readonly (Float64Array | undefined)[]): void;
  dispose(): Promise<void>;
}

/** What lowers graphs: the js target, ONNX Runtime. */
export interface Target {
  /** Name in messages and of the runtime: `js`, `onnx:cpu`, … */
  readonly name: string;
  /** @throws MissingKernelError if an operation has no lowering. */
  lower(graph: Graph): Promise<Executable>;
  describe(): Readonly<Record<string, string | number | boolean>>;
  dispose(): Promise<void>;
}
