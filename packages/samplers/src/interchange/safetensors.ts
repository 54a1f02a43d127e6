import { decodeSafetensors, encodeSafetensors, type SafetensorsEntry } from '@bpc/core';
import type { Draws } from '../draws.js';
import { arraysOf, badDraws, drawsOf, FORMAT, parseRecord, recordOf, type StoredArray, VERSION } from './draws-record.js';

const WARMUP = 'warmup/';

function entriesOf(draws: Draws, prefix: string): [string, SafetensorsEntry][] {
  return arraysOf(draws).map(([name, { shape, data }]) => [`${prefix}${name}`, { dtype: 'F64', shape, data }]);
}

/**
 * The draws as a safetensors file, float64: `values/<name>` `[C, N, …shape]`, `statistics/<name>` `[C, N]`, `unconstrained`
 * `[C, N, size]`, the same below `warmup/` if those draws were kept; the rest as JSON in the metadata. `fromSafetensors` reads
 * back the same bits; Python reads it with `safetensors.numpy`.
 *
 * @throws CheckpointError if an array has not the length that chains, draws and shape give.
 * @example
 * ```ts
 * import { type Draws, fromSafetensors, toSafetensors } from '@bpc/samplers';
 * const copy = (draws: Draws): Draws => fromSafetensors(toSafetensors(draws));
 * ```
 */
export function toSafetensors(draws: Draws): Uint8Array {
  const { warmup } = draws;
  const entries = [...entriesOf(draws, ''), ...(warmup === undefined ? [] : entriesOf(warmup, WARMUP))];
  return encodeSafetensors(Object.fromEntries(entries), {
    format: FORMAT,
    version: String(VERSION),
    draws: JSON.stringify(recordOf(draws)),
    ...(warmup === undefined ? {} : { warmup: JSON.stringify(recordOf(warmup)) }),
  });
}

function parse(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch (cause) {
    throw badDraws('the record of the draws is no JSON', cause);
  }
}

/** The draws in a file of `toSafetensors`. @throws CheckpointError if it is no such file, damaged, or of a later version. */
export function fromSafetensors(bytes: Uint8Array): Draws {
  const { tensors, metadata } = decodeSafetensors(bytes);
  if (metadata['format'] !== FORMAT) throw badDraws(`the file has format '${metadata['format'] ?? 'unknown'}', expected '${FORMAT}'`);
  if (metadata['version'] !== String(VERSION)) throw badDraws(`the file has version ${metadata['version']}, expected ${VERSION}`);
  const array =
    (prefix: string) =>
    (name: string): StoredArray | undefined => {
      const entry = tensors.get(`${prefix}${name}`);
      return entry?.dtype === 'F64' ? entry : undefined;
    };
  const warmup = metadata['warmup'] === undefined ? undefined : drawsOf(parseRecord(parse(metadata['warmup'])), array(WARMUP));
  return drawsOf(parseRecord(parse(metadata['draws'])), array(''), warmup);
}
