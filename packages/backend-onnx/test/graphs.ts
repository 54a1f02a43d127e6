import type { Attributes, DType, Graph, Node, NodeOf, Op, Target, Window } from '@bpc/compiler';
import * as ort from 'onnxruntime-node';
import { onnxTarget } from '../src/index.js';

/** The execution provider that operations are checked on; `npm run test:gpu` names another. */
export const provider: string = process.env['BPC_TEST_PROVIDER'] ?? 'cpu';

/** One target for a test file; sessions are released by the executables. */
export const target: Target = onnxTarget({ ort, threads: 1, executionProviders: [provider] });

let nextId = 0;

/** A node with nothing simplified, so that a test reaches exactly the lowering it names. */
export function node<O extends Op>(
  op: O,
  inputs: readonly Node[],
  attributes: Attributes<O>,
  shape: readonly number[],
  dtype: DType = 'float32',
): Node {
  return { id: nextId++, op, inputs, attributes, shape, dtype } as unknown as Node;
}

export function input(index: number, shape: readonly number[], dtype: DType = 'float32'): NodeOf<'Input'> {
  return { id: nextId++, op: 'Input', inputs: [], attributes: { index }, shape, dtype };
}

export function graph(inputs: readonly NodeOf<'Input'>[], outputs: readonly Node[], name = 'test'): Graph {
  return { inputs, outputs, name };
}

export const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

export function window(kernel: [number, number], options: Partial<Window> = {}): Window {
  return { kernel, strides: [1, 1], dilations: [1, 1], padding: [0, 0, 0, 0], ...options };
}

/** Reproducible values in [-1, 1). */
export function noise(shape: readonly number[], seed = 1): Float32Array {
  let state = seed * 2654435761;
  return Float32Array.from({ length: size(shape) }, () => {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + 374761393) | 0;
    state ^= state >>> 13;
    return (state >>> 0) / 2 ** 31 - 1;
  });
}

/** Values whose order is unambiguous and that repeat, for ties. */
export function ties(shape: readonly number[]): Float32Array {
  return noise(shape, 7).map((value) => Math.round(value * 2));
}

type Data = Float32Array | Int32Array | Uint8Array;

/** Lowers and runs a graph once. */
export async function evaluate(program: Graph, inputs: readonly Data[]): Promise<readonly (readonly number[])[]> {
  const executable = await target.lower(program);
  try {
    return (await executable.run(inputs)).map((values) => Array.from(values));
  } finally {
    await executable.dispose();
  }
}

/** max |t − r| / max |r|; equal infinities count as equal. */
export function relativeError(test: ArrayLike<number>, reference: ArrayLike<number>): number {
  if (test.length !== reference.length) return Infinity;
  let difference = 0;
  let scale = 0;
  for (let i = 0; i < reference.length; i++) {
    const [t = NaN, r = NaN] = [test[i], reference[i]];
    if (Object.is(t, r) || t === r) {
      if (Number.isFinite(r)) scale = Math.max(scale, Math.abs(r));
      continue;
    }
    if (!Number.isFinite(t) || !Number.isFinite(r)) return Infinity;
    difference = Math.max(difference, Math.abs(t - r));
    scale = Math.max(scale, Math.abs(r));
  }
  return difference === 0 ? 0 : difference / scale;
}
