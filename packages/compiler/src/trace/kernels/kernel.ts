import type { Builder, Node } from '../../ir/index.js';

/** A tfjs kernel as a construction of nodes. */
export type TraceKernel = {
  readonly kernelName: string;
  build(g: Builder, operands: { readonly [name: string]: Node } | readonly Node[], attributes: object): Node | readonly Node[];
};

/**
 * A kernel with named operands. The type parameters state tfjs's contract for the kernel, which its registry does not
 * carry: operand names and attributes.
 */
export function kernel<Operand extends string, Attributes extends object = object>(
  kernelName: string,
  build: (g: Builder, operands: Readonly<Record<Operand, Node>>, attributes: Attributes) => Node | readonly Node[],
): TraceKernel {
  return {
    kernelName,
    build: (g, operands, attributes) => build(g, operands as Readonly<Record<Operand, Node>>, attributes as Attributes),
  };
}

/** A kernel with a list of operands. */
export function variadicKernel<Attributes extends object = object>(
  kernelName: string,
  build: (g: Builder, operands: readonly Node[], attributes: Attributes) => Node | readonly Node[],
): TraceKernel {
  return {
    kernelName,
    build: (g, operands, attributes) => build(g, Array.isArray(operands) ? operands : Object.values(operands), attributes as Attributes),
  };
}
