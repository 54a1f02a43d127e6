import type { DType, Executable, Graph } from '@bpc/compiler';
import { ConfigError } from '@bpc/core';
import { type Lowered, lowerGraph } from './lower/lower.js';
import type { LoweringOptions } from './lower/lowering-options.js';
import { sizeOf } from './lower/shape.js';
import { type ElementType, serializeModel } from './model/serialize.js';
import type { OrtData, OrtModule, OrtSession, OrtSessionOptions, OrtTensor } from './ort.js';
import { isWeb } from './providers.js';

type Data = OrtData | Float64Array;

function isSession(value: object): value is OrtSession {
  return 'run' in value && 'release' in value;
}

function allocate(dtype: DType, size: number): OrtData {
  if (dtype === 'float32') return new Float32Array(size);
  return dtype === 'int32' ? new Int32Array(size) : new Uint8Array(size);
}

// By the declared type, not by the array's class: tfjs keeps the integers of a cast to float32 in an Int32Array.
function ofType(data: Data, type: ElementType): OrtData {
  if (type === 'int32') return data instanceof Int32Array ? data : Int32Array.from(data);
  if (type === 'bool') return data instanceof Uint8Array ? data : Uint8Array.from(data);
  return data instanceof Float32Array ? data : new Float32Array(data);
}

function tensor(ort: OrtModule, data: OrtData, shape: readonly number[]): OrtTensor {
  if (data instanceof Float32Array) return new ort.Tensor('float32', data, shape);
  if (data instanceof Int32Array) return new ort.Tensor('int32', data, shape);
  return new ort.Tensor('bool', data, shape);
}

function outputData(output: OrtTensor | undefined, name: string): OrtData {
  const data = output?.data;
  if (data instanceof Float32Array || data instanceof Int32Array || data instanceof Uint8Array) return data;
  throw new ConfigError(`ONNX Runtime gave no numbers for an output of '${name}'`, 'pass the onnxruntime-web module as ort');
}

/**
 * Lowers a program and makes one session for it.
 *
 * Inputs are read in place (Float64Arrays are rounded to float32 first); every run writes into new arrays, which the
 * caller owns. `dispose` waits for a running call.
 */
export async function createExecutable(
  graph: Graph,
  ort: OrtModule,
  targetName: string,
  options: OrtSessionOptions,
  lowering?: LoweringOptions,
): Promise<Executable> {
  return loadExecutable(graph, lowerGraph(graph, targetName, lowering), ort, options);
}

/** Makes a session for a program that is lowered already; see {@link createExecutable}. */
export async function loadExecutable(
  graph: Graph,
  { model, inputIndices }: Lowered,
  ort: OrtModule,
  options: OrtSessionOptions,
): Promise<Executable> {
  const created = await ort.InferenceSession.create(serializeModel(model), options);
  if (!isSession(created))
    throw new ConfigError('ort.InferenceSession.create gave no session', 'pass the onnxruntime-node or onnxruntime-web module as ort');
  const session = created;
  let running: Promise<unknown> = Promise.resolve();
  let disposed = false;

  const runOnce = async (inputs: readonly Data[]): Promise<readonly OrtData[]> => {
    const feeds: Record<string, OrtTensor> = {};
    for (const [position, value] of model.inputs.entries()) {
      const data = inputs[inputIndices[position] ?? 0];
      if (data === undefined || data.length !== sizeOf(value.shape)) {
        throw new ConfigError(
          `'${graph.name}' got ${data?.length ?? 'no'} values as input ${inputIndices[position]}, expected ${sizeOf(value.shape)} (${value.type}[${value.shape}])`,
          'pass the arrays in the order of the program inputs',
        );
      }
      feeds[value.name] = tensor(ort, ofType(data, value.type), value.shape);
    }
    // onnxruntime-web binds arrays that it is given for outputs, but never copies the results back into them.
    if (isWeb(ort)) {
      const names = model.outputs.map(({ name }) => name);
      const found = await session.run(feeds, names);
      return names.map((name) => outputData(found[name], graph.name));
    }
    const results = graph.outputs.map((output) => allocate(output.dtype, sizeOf(output.shape)));
    const fetches: Record<string, OrtTensor> = {};
    for (const [i, value] of model.outputs.entries()) fetches[value.name] = tensor(ort, results[i] ?? new Float32Array(0), value.shape);
    await session.run(feeds, fetches);
    return results;
  };

  return {
    async run(inputs) {
      if (disposed) throw new ConfigError(`'${graph.name}' was disposed`, 'compile it again');
      const call = running.then(() => runOnce(inputs));
      running = call.catch(() => undefined);
      return call;
    },
    async dispose() {
      if (disposed) return;
      disposed = true;
      await running;
      await session.release();
    },
  };
}
