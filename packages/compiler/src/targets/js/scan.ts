import type { Graph, NodeOf } from '../../ir/index.js';
import { scanResults } from '../../ir/scan.js';
import { sizeOf } from '../../ir/shape.js';
import type { Generated } from './generated.js';
import type { Call, LoopProgram } from './program.js';

/** A loop as its kernel takes it: sizes of states, of rows of the `xs` and of results, and what runs one iteration. */
export type ScanGeometry = {
  readonly length: number;
  readonly states: readonly number[];
  readonly xs: readonly number[];
  /** Of one iteration. */
  readonly ys: readonly number[];
  /** Where each of the results starts. */
  readonly offsets: readonly number[];
  readonly graph: Graph;
  /** Made before the program that holds the loop, by whatever printer suits it. */
  body: Pick<Generated, 'run' | 'bind'> | undefined;
  /** Loops in the body. */
  inner: readonly ScanGeometry[];
  /** Which operands keep their values from call to call, until the loop around this one is called anew. */
  steady: readonly boolean[];
  /** Whether the body has the steady operands already. */
  bound: boolean;
};

export function scanGeometry({ attributes }: NodeOf<'Scan'>): ScanGeometry {
  const { length, states, xs, body } = attributes;
  const sizes = (nodes: Graph['outputs']) => nodes.map(({ shape }) => sizeOf(shape));
  return {
    length,
    states: sizes(body.outputs.slice(0, states)),
    xs: sizes(body.inputs.slice(states, states + xs)),
    ys: sizes(body.outputs.slice(states)),
    offsets: scanResults(attributes).map(({ offset }) => offset),
    graph: { ...body, fixed: body.inputs.slice(states + xs).map((node) => node.attributes.index) },
    body: undefined,
    inner: [],
    steady: [],
    bound: false,
  };
}

/** Whether each operand of a kernel is a constant of its program, or an input that is bound once. */
const steadyOperands = ({ fixed }: LoopProgram, { inputs }: Call): boolean[] =>
  inputs.map(({ kind, position }) => kind === 'constant' || (kind === 'input' && position !== undefined && fixed.includes(position)));

const isLoop = (geometry: object): geometry is ScanGeometry => 'graph' in geometry && 'offsets' in geometry;

/** The loops of a program, which know their steady operands from now on, and whose bodies must be made before it runs. */
export function loopsOf(program: LoopProgram): ScanGeometry[] {
  return program.items.flatMap((each) => {
    if (each.kind !== 'call' || !isLoop(each.geometry)) return [];
    each.geometry.steady = steadyOperands(program, each);
    return [each.geometry];
  });
}
