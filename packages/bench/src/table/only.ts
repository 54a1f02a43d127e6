import { ConfigError } from '@bpc/core';
import { suggest } from '../config/index.js';
import type { Cell } from './cells.js';

/**
 * The cells that `--only` names: `mnist`, `mnist/1`, `mnist/1/bpc-cd`, `*` for any part; several names add up.
 *
 * @throws ConfigError if a name fits no cell.
 */
export function onlyCells<T extends Pick<Cell, 'id' | 'dataset' | 'ipc' | 'row'>>(cells: readonly T[], only: readonly string[]): T[] {
  if (only.length === 0) return [...cells];
  const fits = ({ dataset, ipc, row }: T, name: string): boolean => {
    const parts = name.split('/');
    return parts.length <= 3 && parts.every((part, i) => part === '*' || part === [dataset, String(ipc), row][i]);
  };
  for (const name of only) {
    if (cells.some((cell) => fits(cell, name))) continue;
    const near = suggest(
      name,
      cells.map(({ id }) => id),
    );
    throw new ConfigError(
      `--only ${name} names no cell of this table, expected <data set>/<images per class>/<row>`,
      near === undefined ? `name one such as ${cells[0]?.id ?? 'mnist/1/bpc-cd'}` : `did you mean '${near}'?`,
    );
  }
  return cells.filter((cell) => only.some((name) => fits(cell, name)));
}
