import { ConfigError, ShapeError } from '@bpc/core';

/** log p(y | η) with its first two derivatives in the linear predictor η. */
export interface Family {
  /** In nats. */
  logLikelihood(eta: number, y: number): number;
  /** ∂/∂η */
  slope(eta: number, y: number): number;
  /** −∂²/∂η², which none of these families lets become negative. */
  curvature(eta: number): number;
}

/**
 * `'logistic'`: y ∈ {0, 1} or {−1, 1}, log σ(±η). `'gaussian'`: y real, of variance `noiseVariance` around η. `'poisson'`: counts of
 * mean e^η.
 */
export type FamilyName = 'logistic' | 'gaussian' | 'poisson';

/** log σ(t) without overflow. */
const logSigmoid = (t: number) => (t > 0 ? -Math.log1p(Math.exp(-t)) : t - Math.log1p(Math.exp(t)));
const sigmoid = (t: number) => 1 / (1 + Math.exp(-t));

function logFactorial(y: number): number {
  let total = 0;
  for (let k = 2; k <= y; k++) total += Math.log(k);
  return total;
}

/** A family by name. `noiseVariance` concerns `'gaussian'` alone. */
export function familyOf(name: FamilyName, noiseVariance: number): Family {
  switch (name) {
    case 'logistic':
      return {
        logLikelihood: (eta, y) => logSigmoid(y * eta),
        slope: (eta, y) => y * sigmoid(-y * eta),
        curvature: (eta) => sigmoid(eta) * sigmoid(-eta),
      };
    case 'gaussian':
      return {
        logLikelihood: (eta, y) => -((y - eta) ** 2 / noiseVariance + Math.log(2 * Math.PI * noiseVariance)) / 2,
        slope: (eta, y) => (y - eta) / noiseVariance,
        curvature: () => 1 / noiseVariance,
      };
    case 'poisson': {
      const constants = new Map<number, number>();
      const constant = (y: number) => {
        const known = constants.get(y) ?? logFactorial(y);
        constants.set(y, known);
        return known;
      };
      return {
        logLikelihood: (eta, y) => y * eta - Math.exp(eta) - constant(y),
        slope: (eta, y) => y - Math.exp(eta),
        curvature: (eta) => Math.exp(eta),
      };
    }
    default:
      throw new ConfigError(
        `family is '${String(name satisfies never)}', expected 'logistic', 'gaussian' or 'poisson'`,
        'pass one of these',
      );
  }
}

/** Targets as the families take them: classes as −1 and 1. @throws ShapeError, ConfigError naming the first target that cannot be. */
export function targetsOf(name: FamilyName, y: ArrayLike<number>, count: number): Float64Array {
  if (y.length !== count)
    throw new ShapeError(`y has ${y.length} entries, expected ${count}, one per row of x`, 'pass one target per point');
  const values = Float64Array.from(y);
  const refuse = (place: number, expected: string): never => {
    throw new ConfigError(`y[${place}] is ${values[place]}, expected ${expected}`, 'check the targets and the family');
  };
  const check = (good: (value: number) => boolean, expected: string) => {
    const bad = values.findIndex((value) => !good(value));
    if (bad >= 0) refuse(bad, expected);
  };
  if (name === 'gaussian') check(Number.isFinite, 'a finite number');
  if (name === 'poisson') check((value) => Number.isSafeInteger(value) && value >= 0, 'a count, an integer ≥ 0');
  if (name !== 'logistic') return values;
  check((value) => value === 0 || value === 1 || value === -1, '0 or 1 (or −1 and 1) for a logistic regression');
  if (values.includes(0) && values.includes(-1)) refuse(values.indexOf(-1), 'either 0 and 1, or −1 and 1, not all three');
  return values.map((value) => (value > 0 ? 1 : -1));
}
