import { tensor, tensor1d } from '@tensorflow/tfjs-core';
import type { Metadata } from './checkpoint.js';
import { readMetadata, saveTree } from './checkpoint.js';
import type { Coreset } from './coreset.js';
import { CheckpointError } from './errors.js';
import type { SafetensorsFile } from './safetensors.js';
import { decodeSafetensors } from './safetensors.js';

/** What a coreset file must look like to be used. */
export type CoresetExpectation = {
  /** Shape of one input, without the batch axis. */
  readonly inputShape?: readonly number[];
  /** Length of one target: number of classes, or of regression outputs. */
  readonly classes?: number;
};

const REMEDY = 'use a coreset file learned for this data set';

/**
 * Bytes of a published coreset: tensors `x`, `y`, `weights` and a record that should say how to use them (normalisation,
 * class names, provenance). Readable from Python with `safetensors`.
 */
export async function saveCoreset(coreset: Coreset, metadata: Metadata): Promise<Uint8Array> {
  const { x, y, weights } = coreset;
  return saveTree({ x, y, weights }, { kind: 'coreset', ...metadata });
}

function floats(
  file: SafetensorsFile,
  name: string,
  rank: number | undefined,
): { readonly data: Float32Array; readonly shape: readonly number[] } {
  const entry = file.tensors.get(name);
  if (entry === undefined) throw new CheckpointError(`the file has no tensor '${name}', so it is no coreset`, REMEDY);
  const { dtype, shape } = entry;
  if (entry.dtype !== 'F32') throw new CheckpointError(`'${name}' has dtype ${dtype}, expected F32`, REMEDY);
  if (rank !== undefined ? shape.length !== rank : shape.length < 2) {
    throw new CheckpointError(`'${name}' has shape [${shape}], expected ${rank === undefined ? 'at least 2' : rank} axes`, REMEDY);
  }
  if (!entry.data.every(Number.isFinite))
    throw new CheckpointError(`'${name}' has values that are not finite`, 'use the checkpoint of an earlier step');
  return { data: entry.data, shape };
}

/**
 * The coreset saved in `bytes` and its record. Fresh tensors, owned by the caller.
 *
 * @throws CheckpointError if the bytes are no coreset file, values are not finite, weights are negative, or shapes do not
 * fit one another or `expected`.
 */
export function loadCoreset(
  bytes: Uint8Array,
  expected: CoresetExpectation = {},
): { readonly coreset: Coreset; readonly metadata: Metadata } {
  const file = decodeSafetensors(bytes);
  const metadata = readMetadata(bytes);
  const [x, y, weights] = [floats(file, 'x', undefined), floats(file, 'y', 2), floats(file, 'weights', 1)];
  const points = x.shape[0];
  for (const [name, { shape }] of [
    ['y', y],
    ['weights', weights],
  ] as const) {
    if (shape[0] !== points) throw new CheckpointError(`'${name}' has ${shape[0]} rows but 'x' has ${points}`, REMEDY);
  }
  if (weights.data.some((weight) => weight < 0)) throw new CheckpointError("'weights' has negative values", REMEDY);
  const { inputShape, classes } = expected;
  if (inputShape !== undefined && x.shape.slice(1).join() !== inputShape.join()) {
    throw new CheckpointError(`one input has shape [${x.shape.slice(1)}], expected [${inputShape}]`, REMEDY);
  }
  if (classes !== undefined && y.shape[1] !== classes)
    throw new CheckpointError(`'y' has ${y.shape[1]} classes, expected ${classes}`, REMEDY);
  return {
    coreset: {
      x: tensor(x.data, [...x.shape], 'float32'),
      y: tensor(y.data, [...y.shape], 'float32'),
      weights: tensor1d(weights.data, 'float32'),
    },
    metadata,
  };
}
