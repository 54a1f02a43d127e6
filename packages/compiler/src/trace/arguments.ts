import { isKey, isTensor, type ProgramArgument, type Tree } from '@bpc/core';

/** Structure, names, dtypes and shapes of a tree, the same for every order of the names. */
function structure(tree: Tree): string {
  if (isTensor(tree)) return `${tree.dtype}[${tree.shape}]`;
  if (Array.isArray(tree)) return `[${tree.map(structure)}]`;
  const record = tree as { readonly [name: string]: Tree };
  let text = '';
  for (const name of Object.keys(record).sort()) text += `${JSON.stringify(name)}:${structure(record[name] as Tree)},`;
  return `{${text}}`;
}

/** Arguments with equal signatures share one compiled program. They must have passed `argumentLeaves`. */
export function signature(args: readonly ProgramArgument[]): string {
  return args.map((argument) => (argument === undefined ? '-' : isKey(argument) ? 'key' : structure(argument))).join(';');
}
