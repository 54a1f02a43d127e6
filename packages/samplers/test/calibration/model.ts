import { foldIn, hostNormal, hostUniform, type Key } from '@bpc/core';
import { type Parameter, positive, simplex, type Target, target } from '@bpc/samplers';
import { add, div, log, mul, reshape, type Scalar, square, sub, sum, type Tensor } from '@tensorflow/tfjs-core';

/** Two noisy measurements of each of three shares. */
const REPEATS = 2;
const SHARES = 3;

/** True values and the data that they gave. */
export interface Replication {
  readonly truth: Readonly<Record<string, number>>;
  readonly y: readonly (readonly number[])[];
}

/** Draws of Gamma(shape, 1) for whole shapes: sums of exponential waiting times. */
const gammas = (key: Key, count: number, shape: number): number[] => {
  const uniforms = hostUniform(key, count * shape);
  return Array.from(
    { length: count },
    (_, i) => -uniforms.subarray(i * shape, (i + 1) * shape).reduce((total, u) => total + Math.log1p(-u), 0),
  );
};

/** log p(y | shares, sigma) without constants. */
function logLikelihood(shares: readonly number[], sigma: number, y: Replication['y']): number {
  const squares = y.flatMap((row, g) => row.map((value) => ((value - shares[g]!) / sigma) ** 2));
  return -0.5 * squares.reduce((a, b) => a + b, 0) - squares.length * Math.log(sigma);
}

/** Shares ~ Dirichlet(2, 2, 2), sigma ~ Gamma(4, 10), y ~ N(share, sigma): values from the prior, and data from those. */
export function replicate(key: Key): Replication {
  const parts = gammas(foldIn(key, 0), SHARES, 2);
  const total = parts.reduce((a, b) => a + b, 0);
  const shares = parts.map((part) => part / total);
  const sigma = gammas(foldIn(key, 1), 1, 4)[0]! / 10;
  const noise = hostNormal(foldIn(key, 2), SHARES * REPEATS);
  const y = shares.map((share, g) => Array.from(noise.subarray(g * REPEATS, (g + 1) * REPEATS), (e) => share + sigma * e));
  const truth = {
    sigma,
    'shares[0]': shares[0]!,
    'shares[1]': shares[1]!,
    'shares[2]': shares[2]!,
    logLikelihood: logLikelihood(shares, sigma, y),
  };
  return { truth, y };
}

const likelihood = (shares: Tensor, sigma: Tensor, y: Tensor): Tensor =>
  sub(mul(-0.5, sum(square(div(sub(y, reshape(shares, [SHARES, 1])), sigma)))), mul(y.size, log(sigma)));

/** The model of `replicate`; `through` may change its parameters. */
export function model(y: Replication['y'], through: (parameter: Parameter) => Parameter = (parameter) => parameter): Target {
  return target({
    parameters: { sigma: through(positive()), shares: through(simplex(SHARES)) },
    data: { y },
    logDensity: ({ sigma, shares }, { y }) => {
      const prior = add(sum(log(shares)), sub(mul(3, log(sigma)), mul(10, sigma)));
      return add(prior, likelihood(shares, sigma, y)) as Scalar;
    },
    derived: ({ sigma, shares }, { y }) => ({ logLikelihood: likelihood(shares, sigma, y) }),
  });
}
