import { type CompiledRuntimeOptions, compiledRuntime, type Graph, jsTarget, topologicalOrder } from '@bpc/compiler';
import { type Program, type ProgramArgument, type Tree, treeEntries } from '@bpc/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import './helpers.js';

export const numbers = (x: Tensor): number[] => [...x.dataSync()];

type Any = Program<readonly ProgramArgument[], Tree>;

/** Runs a function on the js target, and gives its leaves with their paths. */
export async function compiled(
  fn: (...args: never[]) => Tree,
  args: readonly ProgramArgument[],
  options: Partial<CompiledRuntimeOptions> = {},
) {
  const runtime = compiledRuntime({ target: jsTarget(), ...options });
  const result = await (runtime.compile(fn as (...args: readonly ProgramArgument[]) => Tree) as Any)(...args);
  await runtime.dispose();
  return treeEntries(result);
}

/** Operations of a graph, operands first. */
export const ops = (graph: Graph): string[] => topologicalOrder(graph.outputs).map((node) => node.op);

/** Body of the first loop of a graph. */
export function body(graph: Graph): Graph {
  const loop = topologicalOrder(graph.outputs).find((node) => node.op === 'Scan');
  if (loop?.op !== 'Scan') throw new Error('no loop');
  return loop.attributes.body;
}
