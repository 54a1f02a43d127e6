/**
 * Holm's step-down adjustment of p-values (Scandinavian Journal of Statistics 6(2), 1979): sorted ascending,
 * `p̃_(i) = max_{j ≤ i} min(1, (m − j + 1) p_(j))`.
 *
 * Rejecting where `p̃ ≤ α` keeps the chance of any false rejection in the family at most α, whatever the dependence.
 *
 * @returns adjusted p-values in the order given.
 * @example
 * ```ts
 * import { holm } from '@bpc/bench';
 * console.log(holm([0.01, 0.04, 0.03])); // 0.03, 0.06, 0.06
 * ```
 */
export function holm(p: readonly number[]): number[] {
  const order = p.map((_, i) => i).sort((a, b) => (p[a] ?? 1) - (p[b] ?? 1));
  const adjusted = new Array<number>(p.length).fill(1);
  let largest = 0;
  for (const [rank, i] of order.entries()) {
    largest = Math.max(largest, Math.min(1, (p.length - rank) * (p[i] ?? 1)));
    adjusted[i] = largest;
  }
  return adjusted;
}
