import { ConfigError, isKey, isTensor, type ProgramArgument, type Tree, treeEntries } from '@bpc/core';
import type { Tensor } from '@tensorflow/tfjs-core';

/** Refuses anything that is not a tree of tensors, naming where it is. */
export function assertTree(value: unknown, where: string): asserts value is Tree {
  if (isTensor(value)) return;
  if (Array.isArray(value)) return value.forEach((child, i) => assertTree(child, `${where}[${i}]`));
  if (typeof value === 'object' && value !== null && !isKey(value)) {
    for (const [name, child] of Object.entries(value)) assertTree(child, `${where}.${name}`);
    return;
  }
  const found = isKey(value)
    ? 'a key'
    : value === null
      ? 'null'
      : typeof value === 'object'
        ? 'an object'
        : `${typeof value} ${String(value)}`;
  throw new ConfigError(
    `${where} is ${found}, expected a tensor or a tree of tensors`,
    'pass numbers as scalar() tensors and leave absent entries out',
  );
}

/** The tensors of one argument with their paths; none for a key or an absent argument. */
export function argumentLeaves(argument: ProgramArgument, position: number): (readonly [path: string, tensor: Tensor])[] {
  if (argument === undefined || isKey(argument)) return [];
  assertTree(argument, `argument ${position}`);
  return treeEntries(argument);
}

/** The tensors of all arguments, read once per call. */
export const allLeaves = (args: readonly ProgramArgument[]) => args.map(argumentLeaves);

/** Structure, names, dtypes and shapes of a tree, the same for every order of the names. */
function structure(tree: Tree): string {
  if (isTensor(tree)) return `${tree.dtype}[${tree.shape}]`;
  if (Array.isArray(tree)) return `[${tree.map(structure)}]`;
  const names = Object.entries(tree).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${names.map(([name, child]) => `${JSON.stringify(name)}:${structure(child)}`)}}`;
}

/** Arguments with equal signatures share one compiled program. They must have passed `allLeaves`. */
export function signature(args: readonly ProgramArgument[]): string {
  return args.map((argument) => (argument === undefined ? '-' : isKey(argument) ? 'key' : structure(argument))).join(';');
}
