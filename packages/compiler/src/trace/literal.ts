/**
 * The double that was probably written where a float32 arrived: the shortest decimal that rounds to it.
 *
 * tfjs turns every number into float32 before a backend sees it; 0.001 arrives as 0.0010000000474974513. A computed
 * number (`Math.log(2 * Math.PI)`) comes back with float32's accuracy only.
 */
export function recoverLiteral(value: number): number {
  if (!Number.isFinite(value) || Number.isInteger(value)) return value;
  for (let digits = 1; digits <= 9; digits++) {
    const decimal = Number(value.toPrecision(digits));
    if (Math.fround(decimal) === Math.fround(value)) return decimal;
  }
  return value;
}
