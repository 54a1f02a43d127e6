import { readFileSync } from 'node:fs';
import { cholesky, type HostTree } from '@bpc/core';
import {
  add,
  div,
  exp,
  eye,
  log,
  logSumExp,
  matMul,
  mul,
  neg,
  reshape,
  type Scalar,
  square,
  stack,
  sub,
  sum,
  type Tensor,
} from '@tensorflow/tfjs-core';

export const readPosterior = (name: string, file: string) =>
  JSON.parse(readFileSync(new URL(`../../../tooling/fixtures/posteriordb/${name}/${file}`, import.meta.url), 'utf8'));

const sumSquares = (x: Tensor) => sum(square(x));
/** Half-Cauchy(0, scale) on exp(u), with the log-Jacobian of exp. */
const halfCauchy = (u: Tensor, scale: number) => sub(u, log(add(1, square(div(exp(u), scale)))));
/** Σ log N(y | m, exp(u)) without its constant. */
const normal = (y: Tensor, m: Tensor, u: Tensor, n: number) => sub(mul(mul(-0.5, sumSquares(sub(y, m))), exp(mul(-2, u))), mul(n, u));

type Named<N extends string> = { readonly [K in N]: Tensor };
export type Posterior = { readonly like: HostTree; readonly data: HostTree; readonly logDensity: (params: never, data: never) => Scalar };

/** A linear regression with K coefficients; flat order is `a` (coefficients) then `b` (log of the noise). */
const regression = (X: number[][], y: number[], K: number, prior: (a: Tensor, b: Tensor) => Tensor): Posterior => ({
  like: { a: new Float64Array(K), b: 0 },
  data: { X, y: y.map((v) => [v]) },
  logDensity: ({ a, b }: Named<'a' | 'b'>, { X, y }: Named<'X' | 'y'>) =>
    add(prior(a, b), normal(y, matMul(X, reshape(a, [K, 1])), b, y.size)) as Scalar,
});

/** Posteriors of the fixtures, with parameters whose canonical order is that of the references. */
export const posteriors: Record<string, () => Posterior> = {
  'eight_schools-eight_schools_noncentered': () => {
    const { y, sigma } = readPosterior('eight_schools-eight_schools_noncentered', 'data.json');
    return {
      like: { mu: 0, tau: 0, z: new Float64Array(8) },
      data: { y, sigma },
      logDensity: ({ mu, tau, z }: Named<'mu' | 'tau' | 'z'>, { y, sigma }: Named<'y' | 'sigma'>) => {
        const theta = add(mu, mul(exp(tau), z));
        const likelihood = mul(-0.5, sumSquares(div(sub(y, theta), sigma)));
        return add(add(likelihood, mul(-0.5, sumSquares(z))), add(mul(-0.5, square(div(mu, 5))), halfCauchy(tau, 5))) as Scalar;
      },
    };
  },
  'arK-arK': () => {
    const { y, K, T } = readPosterior('arK-arK', 'data.json');
    const times = Array.from({ length: T - K }, (_, i) => i + K);
    const X = times.map((t) => [1, ...Array.from({ length: K }, (__, k) => y[t - k - 1])]);
    return regression(
      X,
      times.map((t) => y[t]),
      K + 1,
      (a, b) => add(mul(-0.5 / 100, sumSquares(a)), halfCauchy(b, 2.5)),
    );
  },
  'kidiq-kidscore_interaction': () => {
    const { kid_score, mom_hs, mom_iq } = readPosterior('kidiq-kidscore_interaction', 'data.json');
    return regression(
      kid_score.map((_: number, i: number) => [1, mom_hs[i], mom_iq[i], mom_hs[i] * mom_iq[i]]),
      kid_score,
      4,
      (_, b) => halfCauchy(b, 2.5),
    );
  },
  'sblrc-blr': () => {
    const { X, y } = readPosterior('sblrc-blr', 'data.json');
    // sigma ~ half-normal(0, 10)
    return regression(X, y, 5, (a, b) => add(mul(-0.5 / 100, sumSquares(a)), sub(b, mul(0.5 / 100, exp(mul(2, b))))));
  },
  'gp_pois_regr-gp_pois_regr': () => {
    const { x, k } = readPosterior('gp_pois_regr-gp_pois_regr', 'data.json');
    return {
      like: { a: 0, b: 0, z: new Float64Array(x.length) },
      data: { x, k },
      // a: log of the length scale, b: log of the amplitude
      logDensity: ({ a, b, z }: Named<'a' | 'b' | 'z'>, { x, k }: Named<'x' | 'k'>) => {
        const n = x.size;
        const distances = square(sub(reshape(x, [n, 1]), reshape(x, [1, n])));
        const kernel = exp(sub(mul(2, b), mul(mul(0.5, distances), exp(mul(-2, a)))));
        const f = reshape(matMul(cholesky(add(kernel, mul(1e-10, eye(n)))), reshape(z, [n, 1])), [n]);
        const likelihood = sum(sub(mul(k, f), exp(f)));
        const prior = add(sub(mul(25, a), mul(4, exp(a))), sub(b, mul(1 / 8, exp(mul(2, b)))));
        return add(add(likelihood, mul(-0.5, sumSquares(z))), prior) as Scalar;
      },
    };
  },
  'low_dim_gauss_mix-low_dim_gauss_mix': () => {
    const { y } = readPosterior('low_dim_gauss_mix-low_dim_gauss_mix', 'data.json');
    /** log N(y | m, exp(u)) of every y, without its constant. */
    const normals = (y: Tensor, m: Tensor, u: Tensor) => sub(mul(-0.5, square(div(sub(y, m), exp(u)))), u);
    const logSigmoid = (v: Tensor) => neg(log(add(1, exp(neg(v)))));
    const halfNormal = (u: Tensor) => sub(u, mul(1 / 8, exp(mul(2, u))));
    return {
      like: { a: 0, b: 0, c: 0, d: 0, e: 0 },
      data: { y },
      // a: lower mean, b: log of the distance to the other, c and d: logs of the deviations, e: logit of the lower one's share
      logDensity: ({ a, b, c, d, e }: Named<'a' | 'b' | 'c' | 'd' | 'e'>, { y }: Named<'y'>) => {
        const upper = add(a, exp(b));
        const [share, rest] = [logSigmoid(e), logSigmoid(neg(e))];
        const likelihood = sum(logSumExp(stack([add(share, normals(y, a, c)), add(rest, normals(y, upper, d))], 1), 1));
        const means = mul(-1 / 8, add(square(a), square(upper)));
        return add(add(likelihood, means), add(add(halfNormal(c), halfNormal(d)), add(b, mul(5, add(share, rest))))) as Scalar;
      },
    };
  },
};
