import { ConfigError, foldIn, hostPermutation, key } from '@bpc/core';

/**
 * Draw `perClass` points of every class, once, with a fixed seed; the way the manifest's index lists were made.
 *
 * Class `c` is shuffled with the key `foldIn(key(seed), c)` and its first `perClass` points are taken. Points in
 * `exclude` are left out before shuffling, so several disjoint lists can be drawn one after the other.
 *
 * @returns ascending indices into `labels`.
 * @throws ConfigError if a class has fewer than `perClass` points left.
 *
 * @example
 * ```ts
 * import { drawIndices } from '@bpc/bench';
 * const validation = drawIndices({ labels: Int32Array.of(0, 1, 0, 1, 0, 1), classes: 2, perClass: 1, seed: 0 });
 * console.log(validation.length); // 2
 * ```
 */
export function drawIndices(options: {
  readonly labels: ArrayLike<number>;
  readonly classes: number;
  readonly perClass: number;
  readonly seed: number;
  readonly exclude?: ArrayLike<number>;
}): number[] {
  const { labels, classes, perClass, seed } = options;
  const excluded = new Set(Array.from(options.exclude ?? []));
  const members: number[][] = Array.from({ length: classes }, () => []);
  for (let i = 0; i < labels.length; i++) if (!excluded.has(i)) members[labels[i] ?? -1]?.push(i);
  const root = key(seed);
  const drawn = members.flatMap((points, label) => {
    if (points.length < perClass) {
      throw new ConfigError(`class ${label} has ${points.length} points left, perClass is ${perClass}`, 'draw fewer points per class');
    }
    const order = hostPermutation(foldIn(root, label), points.length);
    return Array.from(order.subarray(0, perClass), (position) => points[position] ?? -1);
  });
  return drawn.sort((a, b) => a - b);
}

/** The indices `0 … count − 1` that are in none of `lists`, ascending. */
export function remainingIndices(count: number, ...lists: readonly ArrayLike<number>[]): number[] {
  const taken = new Uint8Array(count);
  for (const list of lists) for (const index of Array.from(list)) taken[index] = 1;
  const rest: number[] = [];
  for (let i = 0; i < count; i++) if (taken[i] === 0) rest.push(i);
  return rest;
}
