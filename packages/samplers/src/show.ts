import { isTensor } from '@bpc/core';

/** A value as messages write it, whatever plain JavaScript passes: text in quotes, numbers as they are, objects by their kind. */
export function show(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value === 'function') return 'a function';
  if (isTensor(value)) return `a tensor of shape [${value.shape}]`;
  if (Array.isArray(value)) return 'a list';
  if (ArrayBuffer.isView(value)) return `an array (${Object.prototype.toString.call(value).slice(8, -1)})`;
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
