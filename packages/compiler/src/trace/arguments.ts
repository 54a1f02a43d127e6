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

/** Arguments with equal signatures share one compiled program. */
export function signature(args: readonly ProgramArgument[], leaves: ReturnType<typeof allLeaves>): string {
  return args
    .map((argument, position) =>
      argument === undefined
        ? '-'
        : isKey(argument)
          ? 'key'
          : leaves[position]?.map(([path, { dtype, shape }]) => `${path}:${dtype}[${shape}]`).join(','),
    )
    .join(';');
}
