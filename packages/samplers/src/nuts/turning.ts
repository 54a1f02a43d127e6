/**
 * Joins the momenta of two neighbouring pieces of a trajectory and says whether the whole still moves apart: the generalised
 * no-U-turn criterion (Betancourt 2017, appendix A.4.2) with Stan's two further checks across the seam.
 *
 * With ρ = Σ r over a piece and whitened momenta r at its ends a…b (first piece) and c…d (second): continue while
 * `(ρ₁ + ρ₂)·a`, `(ρ₁ + ρ₂)·d`, `(ρ₁ + r_c)·a`, `(ρ₁ + r_c)·c`, `(ρ₂ + r_b)·b` and `(ρ₂ + r_b)·d` are all positive.
 * The last four see turns that a whole of even multiples of a period would hide.
 *
 * All arguments but the first two are offsets into `values`; ρ₁ + ρ₂ is written to `sum`, which may be `sum1`.
 */
export function joinPieces(
  values: Float64Array,
  size: number,
  sum1: number,
  sum2: number,
  a: number,
  b: number,
  c: number,
  d: number,
  sum: number,
): boolean {
  let atFirst = 0;
  let atLast = 0;
  let beforeFirst = 0;
  let beforeLast = 0;
  let afterFirst = 0;
  let afterLast = 0;
  for (let i = 0; i < size; i++) {
    const rho1 = values[sum1 + i] as number;
    const rho2 = values[sum2 + i] as number;
    const ra = values[a + i] as number;
    const rb = values[b + i] as number;
    const rc = values[c + i] as number;
    const rd = values[d + i] as number;
    const rho = rho1 + rho2;
    const before = rho1 + rc;
    const after = rho2 + rb;
    values[sum + i] = rho;
    atFirst += rho * ra;
    atLast += rho * rd;
    beforeFirst += before * ra;
    beforeLast += before * rc;
    afterFirst += after * rb;
    afterLast += after * rd;
  }
  return atFirst > 0 && atLast > 0 && beforeFirst > 0 && beforeLast > 0 && afterFirst > 0 && afterLast > 0;
}

/** The same for two single points, where all three checks are one. */
export function joinPoints(values: Float64Array, size: number, a: number, d: number, sum: number): boolean {
  let atFirst = 0;
  let atLast = 0;
  for (let i = 0; i < size; i++) {
    const ra = values[a + i] as number;
    const rd = values[d + i] as number;
    const rho = ra + rd;
    values[sum + i] = rho;
    atFirst += rho * ra;
    atLast += rho * rd;
  }
  return atFirst > 0 && atLast > 0;
}
