import type { Graph, NodeOf } from '../../ir/index.js';
import { scanResults } from '../../ir/scan.js';
import { sizeOf } from '../../ir/shape.js';
import type { Generated } from './generated.js';
import type { LoopProgram } from './program.js';

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
  };
}

const isLoop = (geometry: object): geometry is ScanGeometry => 'graph' in geometry && 'offsets' in geometry;

/** The loops of a program, whose bodies must be made before it runs. */
export const loopsOf = ({ items }: LoopProgram): ScanGeometry[] =>
  items.flatMap((each) => (each.kind === 'call' && isLoop(each.geometry) ? [each.geometry] : []));
