import { type Executable, type Graph, type Node, type NodeOf, type Target, topologicalOrder } from '../ir/index.js';
import { item, sizeOf } from '../ir/shape.js';
import type { InputSource } from '../trace/trace.js';
import { chunkGraph, chunkLength, isStreamed, noisePerIteration, rowsOf } from './chunks.js';
import { cut } from './cut.js';
import { boundaryArray, type Values } from './outputs.js';

/** Values of an input at one call: all of them, or, of noise, those of some iterations. */
export type ReadInput = (index: number, rows?: { readonly first: number; readonly count: number }) => Promise<Values>;

/** A program as a sequence of lowered parts. */
export interface Staged {
  /** Values of the outputs, in order. */
  run(read: ReadInput): Promise<readonly Values[]>;
  dispose(): Promise<void>;
}

/** What is known so far of a call. */
type Call = { readonly table: Map<Node, Values>; readonly read: ReadInput };
type Stage = (call: Call) => Promise<void>;
type Lower = (graph: Graph) => Promise<Executable>;

async function valueAt(node: Node, { table, read }: Call): Promise<Values> {
  let value = table.get(node);
  if (value === undefined && node.op === 'Input') value = await read(node.attributes.index);
  // In float64, as a target that computes in it sees the constant in a program.
  if (value === undefined && node.op === 'Const') value = Float64Array.from(node.attributes.values);
  if (value === undefined) throw new RangeError(`%${node.id} was not computed by an earlier stage`);
  table.set(node, value);
  return value;
}

const valuesOf = async (nodes: readonly Node[], call: Call): Promise<Values[]> => {
  const values: Values[] = [];
  for (const node of nodes) values.push(await valueAt(node, call));
  return values;
};

/** Runs a part. What stays between parts keeps the precision of the target. */
async function runPart(executable: Executable, graph: Graph, inputs: readonly Values[]): Promise<readonly Values[]> {
  if (!executable.runSync) {
    const typed = inputs.map((values, i) => (values instanceof Float64Array ? boundaryArray(values, item(graph.inputs, i).dtype) : values));
    return executable.run(typed);
  }
  const outputs = graph.outputs.map((node) => new Float64Array(sizeOf(node.shape)));
  executable.runSync(
    inputs.map((values) => (values instanceof Float64Array ? values : Float64Array.from(values))),
    outputs,
  );
  return outputs;
}

/** Computes `wanted` from what is available, and makes it available. */
async function partStage(wanted: readonly Node[], available: Set<Node>, name: string, lower: Lower): Promise<Stage | undefined> {
  const missing = [...new Set(wanted)].filter((node) => !available.has(node) && node.op !== 'Const');
  if (missing.length === 0) return undefined;
  const { graph, given } = cut(missing, available, name);
  for (const node of missing) available.add(node);
  const executable = await lower(graph);
  return async (call) => {
    const outputs = await runPart(executable, graph, await valuesOf(given, call));
    missing.forEach((node, i) => call.table.set(node, item(outputs, i)));
  };
}

/** Runs a loop in chunks of iterations: the noise of one chunk is kept at a time, the states go from chunk to chunk. */
async function loopStage(
  loop: NodeOf<'Scan'>,
  results: readonly NodeOf<'ScanOutput'>[],
  sources: readonly InputSource[],
  noiseBytes: number,
  lower: Lower,
): Promise<Stage> {
  const { length, states } = loop.attributes;
  const chunk = chunkLength(length, noiseBytes / noisePerIteration(loop, sources));
  const made = new Map<number, { readonly graph: Graph; readonly executable: Executable }>();
  for (const count of new Set([chunk, length % chunk || chunk])) {
    const graph = chunkGraph(loop, count);
    made.set(count, { graph, executable: await lower(graph) });
  }
  const rows = rowsOf(loop);
  const invariants = loop.inputs.slice(states + rows.length).filter((node) => node.op !== 'Const');
  return async (call) => {
    let state: readonly Values[] = await valuesOf(loop.inputs.slice(0, states), call);
    const around = await valuesOf(invariants, call);
    const stacks: Values[] = [];
    for (let first = 0; first < length; first += chunk) {
      const count = Math.min(chunk, length - first);
      const read: Values[] = [];
      for (const node of rows) {
        if (node.op === 'Input' && isStreamed(node, sources)) read.push(await call.read(node.attributes.index, { first, count }));
        else read.push(slice(await valueAt(node, call), first, count, length));
      }
      const part = made.get(count);
      if (part === undefined) throw new RangeError(`no program for ${count} iterations`);
      const outputs = await runPart(part.executable, part.graph, [...state, ...read, ...around]);
      state = outputs.slice(0, states);
      outputs.slice(states).forEach((values, k) => {
        const size = values.length / count;
        if (first === 0) stacks.push(emptyLike(values, size * length));
        item(stacks, k).set(values, size * first);
      });
    }
    for (const node of results) call.table.set(node, item([...state, ...stacks], node.attributes.index));
  };
}

const slice = (values: Values, first: number, count: number, length: number): Values => {
  const size = values.length / length;
  return values.subarray(first * size, (first + count) * size);
};

function emptyLike(like: Values, size: number): Values {
  if (like instanceof Float64Array) return new Float64Array(size);
  if (like instanceof Float32Array) return new Float32Array(size);
  return like instanceof Int32Array ? new Int32Array(size) : new Uint8Array(size);
}

const NOTHING = new Float32Array(0);

async function inOnePiece(graph: Graph, lower: Lower): Promise<Staged['run']> {
  const needed = new Set(topologicalOrder(graph.outputs));
  const executable = await lower(graph);
  return async (read) => executable.run(await Promise.all(graph.inputs.map(async (node, i) => (needed.has(node) ? read(i) : NOTHING))));
}

async function inStages(
  graph: Graph,
  loops: readonly NodeOf<'Scan'>[],
  sources: readonly InputSource[],
  noiseBytes: number,
  lower: Lower,
): Promise<Staged['run']> {
  const available = new Set<Node>(graph.inputs);
  const stages: (Stage | undefined)[] = [];
  const order = topologicalOrder(graph.outputs);
  for (const loop of loops) {
    const streamed = new Set(rowsOf(loop).filter((node) => isStreamed(node, sources)));
    const wanted = loop.inputs.filter((node) => !streamed.has(node));
    stages.push(await partStage(wanted, available, `${graph.name}, before '${loop.attributes.body.name}'`, lower));
    const results = order.flatMap((node) => (node.op === 'ScanOutput' && node.inputs[0] === loop ? [node] : []));
    stages.push(await loopStage(loop, results, sources, noiseBytes, lower));
    for (const node of results) available.add(node);
  }
  stages.push(await partStage(graph.outputs, available, graph.name, lower));
  return async (read) => {
    const call: Call = { table: new Map(), read };
    for (const stage of stages) await stage?.(call);
    return valuesOf(graph.outputs, call);
  };
}

/**
 * Lowers a program. Loops that would need more than `noiseBytes` of noise at once run in chunks of iterations, with what is
 * before and after them as programs of their own; results do not depend on the size of the chunks.
 */
export async function lowerStaged(graph: Graph, sources: readonly InputSource[], target: Target, noiseBytes: number): Promise<Staged> {
  const executables: Executable[] = [];
  const lower: Lower = async (part) => {
    const executable = await target.lower(part);
    executables.push(executable);
    return executable;
  };
  const dispose = async () => {
    await Promise.all(executables.map((executable) => executable.dispose()));
  };
  const loops = topologicalOrder(graph.outputs).flatMap((node) =>
    node.op === 'Scan' && noisePerIteration(node, sources) * node.attributes.length > noiseBytes ? [node] : [],
  );
  try {
    const run = loops.length === 0 ? inOnePiece(graph, lower) : inStages(graph, loops, sources, noiseBytes, lower);
    return { run: await run, dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}
