import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Graph, type NodeOf, trace } from '@bpc/compiler';
import type { Tensor, Tensor1D, Tensor4D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { sizeOf } from '../src/ir/shape.js';
import { CHUNK } from '../src/targets/js/interpreter/machine.js';
import { lowerGraph } from '../src/targets/js/lower.js';
import type { LoopProgram, Root } from '../src/targets/js/program.js';
import { compileToJs } from '../src/targets/js/target.js';
import { random, values } from './helpers.js';

const int = (numbers: number[]) => tf.tensor(numbers, [numbers.length], 'int32');

/** Inputs in (−1, 1), except that indices stay indices. */
function inputsOf(graph: Graph, args: readonly Tensor[]): Float64Array[] {
  const own = (input: NodeOf<'Input'>, i: number) => (input.dtype === 'float32' ? values(sizeOf(input.shape), i + 3) : args[i]!.dataSync());
  return graph.inputs.map((input, i) => Float64Array.from(own(input, i)));
}

/** Outputs of a graph by one printer, called twice: what the first call leaves behind must not show. */
function outputsBy(printer: 'javascript' | 'interpreter', graph: Graph, inputs: readonly Float64Array[]): Float64Array[] {
  const outputs = graph.outputs.map((node) => new Float64Array(sizeOf(node.shape)));
  const { runSync } = compileToJs(graph, { printer });
  runSync(
    inputs.map((each) => each.map((v) => (Number.isInteger(v) ? v : -v))),
    outputs,
  );
  runSync(inputs, outputs);
  return outputs;
}

type Case = readonly [name: string, fn: (...args: Tensor[]) => Tensor[], args: () => Tensor[], has?: (program: LoopProgram) => boolean];

const root =
  (kind: Root['kind'], more: (each: Root) => boolean = () => true) =>
  (program: LoopProgram) =>
    program.items.some((each) => each.kind === 'loop' && each.roots.some((own) => own.kind === kind && more(own)));

const cases: Case[] = [
  ['scalars only', (x) => [tf.sum(tf.exp(x!)), tf.sigmoid(x!), tf.softplus(x!)], () => [random([7])]],
  [
    'totals over several chunks',
    (x) => [tf.sum(tf.sin(x!)), tf.max(x!), tf.min(x!), tf.prod(x!)],
    () => [random([3 * CHUNK + 5])],
    root('total'),
  ],
  ['stores of a nest that is cut at its first loop', (x) => [tf.add(x!, tf.transpose(x!))], () => [random([200, 200])], root('store')],
  ['stores of a nest whose loops are all lanes', (x) => [tf.exp(tf.transpose(x!, [2, 0, 1]))], () => [random([7, 5, 11])], root('store')],
  [
    'values of outer loops among lanes',
    (x, y) => [tf.mul(tf.exp(x!), y!), tf.mul(tf.expandDims(tf.exp(x!), 2), tf.expandDims(y!, 0))],
    () => [random([30, 1]), random([1, 300], 2)],
  ],
  [
    'sums of segments that end within chunks and go on over several',
    (x, y) => [tf.sum(tf.exp(x!), 1), tf.max(y!, 1), tf.min(y!, [1]), tf.prod(y!, 1)],
    () => [random([50, 37]), random([40, 2 * CHUNK + 9], 2)],
    root('inner'),
  ],
  ['segments over two axes, transposed', (x) => [tf.sum(tf.transpose(x!, [1, 0, 2]), [1, 2])], () => [random([6, 30, 7])], root('inner')],
  [
    'sums into memory',
    (x) => [tf.sum(tf.exp(x!), 0), tf.max(x!, 0), tf.min(x!, 0), tf.prod(x!, 0)],
    () => [random([50, 130])],
    root('accumulate'),
  ],
  ['sums into memory over short rows', (x) => [tf.sum(tf.exp(x!), [0, 2]), tf.max(x!, [0, 1])], () => [random([9, 30, 5])]],
  [
    'computed rows, read and added to, some of them out of range',
    (x, i) => [tf.gather(tf.exp(x!), i! as Tensor1D), tf.unsortedSegmentSum(tf.gather(x!, i! as Tensor1D), i! as Tensor1D, 30)],
    () => [random([40, 7]), int([5, 39, 3, 3, 1, 0, 44, 29, 30, 12])],
    root('accumulate', (own) => own.kind === 'accumulate' && own.place.dynamic !== undefined),
  ],
  ['one number added to a computed row', (x, i) => [tf.unsortedSegmentSum(x!, i! as Tensor1D, 40)], () => [random([1]), int([3])]],
  [
    'padding, slices and strides',
    (x) => [
      tf.pad(tf.exp(x!), [
        [1, 2],
        [0, 3],
      ]),
      tf.reverse(tf.slice(x!, [1, 2], [10, 15]), 1),
      tf.stridedSlice(x!, [0, 1], [20, 29], [2, 3]),
    ],
    () => [random([20, 30])],
  ],
  [
    'hand-written kernels between loops',
    (x, f) => {
      const y = tf.relu(tf.conv2d(x! as Tensor4D, f! as Tensor4D, 1, 'same'));
      return [
        tf.sum(tf.maxPool(y as Tensor4D, 2, 2, 'valid'), [1, 2]),
        tf.matMul(tf.reshape(y, [40, 40]), tf.reshape(y, [40, 40]), false, true),
      ];
    },
    () => [random([2, 10, 10, 3]), random([3, 3, 3, 8], 2)],
    ({ items }) => items.some((each) => each.kind === 'call'),
  ],
  [
    'comparisons, choices and logic',
    (x, y) => [
      tf.where(tf.greater(x!, y!), tf.log(x!), tf.neg(y!)),
      tf.where(tf.logicalOr(tf.less(x!, 0), tf.lessEqual(y!, 0.5)), x!, y!),
      tf.cast(tf.logicalNot(tf.equal(tf.round(x!), tf.round(y!))), 'float32'),
    ],
    () => [random([300]), random([300], 2)],
  ],
];

describe('the interpreter computes the bits of the JavaScript printer', () => {
  it.each(cases.map(([name, fn, args, has]) => ({ name, fn, args, has })))('$name', ({ fn, args, has }) => {
    const given = args();
    const { graph } = trace(fn, given);
    if (has) expect(has(lowerGraph(graph)), 'the program has what the case is about').toBe(true);
    const inputs = inputsOf(graph, given);
    const [expected, found] = [outputsBy('javascript', graph, inputs), outputsBy('interpreter', graph, inputs)];
    expect(found).toEqual(expected);
    expect(expected.some((output) => output.some((v) => v !== 0 && !Number.isNaN(v)))).toBe(true);
  });
});

it('the interpreter computes chains of scalars that are longer than the call stack', () => {
  const steps = 4000;
  const { graph } = trace(
    (x: Tensor) => {
      let y = x;
      for (let i = 0; i < steps; i++) y = tf.add(tf.mul(y, 0.5), x);
      return y;
    },
    [random([2])],
  );
  const output = new Float64Array(2);
  compileToJs(graph, { printer: 'interpreter' }).runSync([Float64Array.of(1, -3)], [output]);
  expect([...output]).toEqual([2, -6]);
});

const reductions = () =>
  trace((x: Tensor) => [tf.sum(tf.exp(x)), tf.sum(tf.exp(tf.transpose(x)), 0), tf.sum(x, 1)], [random([20, 30])]).graph;
const outputsOf = (graph: Graph) => graph.outputs.map((node) => new Float64Array(sizeOf(node.shape)));

it('the interpreter allocates no array per call', () => {
  const graph = reductions();
  const { runSync } = compileToJs(graph, { printer: 'interpreter' });
  const [inputs, outputs] = [[Float64Array.from(values(600))], outputsOf(graph)];
  /** Bytes that a batch of calls leaves on the heap: one array of a chunk per call would be more than 100 000. */
  const growth = () => {
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < 100; i++) runSync(inputs, outputs);
    return process.memoryUsage().heapUsed - before;
  };
  // Before V8 has compiled them, the operations keep their intermediate numbers on the heap.
  const batches = Array.from({ length: 100 }, growth).filter((bytes) => bytes >= 0);
  expect(Math.min(...batches)).toBeLessThan(20_000);
});

it('the interpreter keeps no array of its callers', async () => {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  const graph = reductions();
  const { runSync } = compileToJs(graph, { printer: 'interpreter' });
  const call = () => {
    const [inputs, outputs] = [[Float64Array.from(values(600))], outputsOf(graph)];
    runSync(inputs, outputs);
    return [...inputs, ...outputs].map((each) => new WeakRef(each));
  };
  const given = call();
  // References stay alive until the next turn.
  await new Promise((resolve) => setTimeout(resolve, 0));
  collect();
  expect(given.map((each) => each.deref())).toEqual(given.map(() => undefined));
  // It still runs.
  expect(call()).toHaveLength(4);
});
