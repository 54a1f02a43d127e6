import { ConfigError } from '@bpc/core';
import type { Executable, Target } from '../ir/index.js';
import type { FlatGraph, HostLeaf } from './flat-trace.js';
import type { Values } from './outputs.js';
import { queue } from './queue.js';

/** A function of a flat position, lowered, with its data bound. */
export interface FlatProgram {
  /**
   * Fills `outputs`, in float64 and without an allocation; absent on a target that answers later. No array is kept longer
   * than the call.
   */
  readonly runSync: ((position: Float64Array, outputs: readonly Float64Array[]) => void) | undefined;
  /** The outputs, in float32. Calls run one after the other. */
  run(position: Float64Array): Promise<readonly Values[]>;
  /** @throws ConfigError after `dispose`. */
  checkOpen(): void;
  /** Waits for running calls. */
  dispose(): Promise<void>;
}

/** Lowers a flat function; `what` names it in messages. */
export async function lowerFlat(what: 'density' | 'mapping', { graph, data }: FlatGraph, target: Target): Promise<FlatProgram> {
  const empty = graph.outputs.every(({ shape }) => shape.includes(0));
  const executable = empty ? NOTHING : await target.lower(graph);
  const { run, idle } = queue();
  let disposed = false;
  return {
    runSync: executable.runSync && synchronous(executable, data),
    run: (position) => run(() => executable.run([Float32Array.from(position), ...data.map(boundary)])),
    checkOpen() {
      if (disposed) throw new ConfigError(`the ${what} is disposed`, `make a new one with runtime.${what}`);
    },
    async dispose() {
      if (disposed) return;
      disposed = true;
      await idle();
      await executable.dispose();
    },
  };
}

function synchronous(
  executable: Executable,
  data: readonly HostLeaf[],
): (position: Float64Array, outputs: readonly Float64Array[]) => void {
  // A target that keeps the data copies in nothing but the position from now on.
  executable.bind?.([undefined, ...data.map((leaf) => leaf.values)]);
  // Kept and refilled: no allocation may stand in a sampler's inner loop.
  const inputs: Float64Array[] = [new Float64Array(0), ...data.map((leaf) => leaf.values)];
  return (position, outputs) => {
    inputs[0] = position;
    executable.runSync?.(inputs, outputs);
  };
}

/** Of a function whose result has no numbers: not every target takes such a graph. */
const NOTHING: Executable = { run: async () => [], runSync: () => undefined, dispose: async () => undefined };

const boundary = ({ values, dtype }: HostLeaf): Int32Array | Float32Array =>
  dtype === 'int32' ? Int32Array.from(values) : Float32Array.from(values);
