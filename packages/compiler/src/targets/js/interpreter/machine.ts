/** Numbers that one operation handles before the next one starts: the cost of choosing an operation is shared by as many. */
export const CHUNK = 128;

/** One operation on `n` numbers of a register file: r[d + i] = f(r[a + i], r[b + i], r[c + i]). */
export type Kernel = (r: Float64Array, n: number, d: number, a: number, b: number, c: number) => void;

/** Operations in order, four operands each. */
export interface Code {
  readonly kernels: Kernel[];
  readonly operands: number[];
}

/** Everything that changes while a program runs; allocated once. */
export interface Machine {
  /** Scalars of the program and of loops around chunks. */
  scalars: Float64Array;
  /** Chunks of the loop that runs. */
  lanes: Float64Array;
  /** By storage; behind them the outputs. */
  readonly memory: Float64Array[];
  /** Loop variables around chunks. */
  variables: Int32Array;
  /** Where the chunk starts within its lanes. */
  start: number;
}

export const code = (): Code => ({ kernels: [], operands: [] });

export function append({ kernels, operands }: Code, kernel: Kernel, d = 0, a = 0, b = 0, c = 0): void {
  kernels.push(kernel);
  operands.push(d, a, b, c);
}

/** Runs code on a register file: `n` is 1 for scalars. */
export function execute({ kernels, operands }: Code, r: Float64Array, n: number): void {
  for (let k = 0, at = 0; k < kernels.length; k++, at += 4) {
    const kernel = kernels[k] as Kernel;
    kernel(r, n, operands[at] as number, operands[at + 1] as number, operands[at + 2] as number, operands[at + 3] as number);
  }
}

/** Stands for arrays of callers between calls, so that none is kept. */
export const NOTHING = new Float64Array(0);

/** A kernel for each of some operations. */
export function fromOperations<Op extends string>(operations: readonly Op[], make: (op: Op) => Kernel): Record<Op, Kernel> {
  // `fromEntries` forgets which names it was given.
  return Object.fromEntries(operations.map((op) => [op, make(op)])) as Record<Op, Kernel>;
}
