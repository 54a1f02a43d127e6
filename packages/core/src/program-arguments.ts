import { engine, type Tensor } from '@tensorflow/tfjs-core';
import { ConfigError } from './errors.js';
import { isKey } from './random.js';
import type { ProgramArgument } from './runtime.js';
import { isTensor, type Leaf, type Tree, treeEntries } from './tree.js';

function nameOf(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object') return `${typeof value} ${String(value)}`;
  if (isKey(value)) return 'a key';
  return 'then' in value ? 'a promise' : `a ${value.constructor.name}`;
}

const isContainer = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !isKey(value) && !('then' in value && typeof value.then === 'function');

/**
 * Refuses anything that is not a tree of tensors, naming where it is.
 *
 * @throws ConfigError naming `where`, the path inside it, and what was found.
 */
export function assertTree(value: unknown, where: string): asserts value is Tree {
  if (isTensor(value)) return;
  if (Array.isArray(value)) return value.forEach((child, i) => assertTree(child, `${where}[${i}]`));
  if (isContainer(value) && !ArrayBuffer.isView(value) && !(value instanceof Map || value instanceof Set)) {
    for (const [name, child] of Object.entries(value)) assertTree(child, `${where}.${name}`);
    return;
  }
  throw new ConfigError(
    `${where} is ${nameOf(value)}, expected a tensor or a tree of tensors`,
    'await promises, pass numbers as scalar() tensors and arrays as tensor(), and leave absent entries out',
  );
}

/** False for a tensor without values: a disposed one, or one of a trace that is over. */
const isAlive = (tensor: Tensor): boolean => !tensor.isDisposed && engine().state.tensorInfo.has(tensor.dataId);

/**
 * The tensors of each argument of a program with their paths; none for a key or an absent argument.
 *
 * @throws ConfigError naming the argument that is no tree of tensors.
 */
export function argumentLeaves(args: readonly ProgramArgument[]): Leaf[][] {
  return args.map((argument, position) => {
    if (argument === undefined || isKey(argument)) return [];
    assertTree(argument, `argument ${position}`);
    return treeEntries(argument);
  });
}

/** @throws ConfigError naming an argument of `name` that has text or complex numbers, or no values any more. */
export function checkLeaves(leaves: readonly (readonly Leaf[])[], name: string): void {
  leaves.forEach((entries, position) => {
    for (const [path, leaf] of entries) {
      const where = path === '' ? '' : ` at '${path}'`;
      if (leaf.dtype === 'string' || leaf.dtype === 'complex64') {
        throw new ConfigError(
          `argument ${position} of '${name}' has dtype ${leaf.dtype}${where}`,
          'programs have float32, int32 and bool tensors only',
        );
      }
      if (!isAlive(leaf)) {
        throw new ConfigError(
          `argument ${position} of '${name}' is disposed${where}`,
          'pass tensors that are still alive, and of no trace: return from a traced function what is wanted of it',
        );
      }
    }
  });
}
