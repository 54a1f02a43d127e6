import { readFileSync } from 'node:fs';
import { cholesky, type HostTree, scan } from '@bpc/core';
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
  sigmoid,
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

const logSigmoid = (v: Tensor) => neg(log(add(1, exp(neg(v)))));

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
  'garch-garch11': () => {
    const { y, sigma1 } = readPosterior('garch-garch11', 'data.json');
    return {
      like: { a: 0, b: 0, c: 0, d: 0 },
      data: { y, sigma1 },
      // a: mean, b: log of the constant, c: logit of the share of the last square, d: logit of the rest's share of the last variance
      logDensity: ({ a, b, c, d }: Named<'a' | 'b' | 'c' | 'd'>, { y, sigma1 }: Named<'y' | 'sigma1'>) => {
        const rest = sigmoid(neg(c));
        const persistence = mul(rest, sigmoid(d));
        const squares = square(sub(y, a));
        const shocks = add(exp(b), mul(sigmoid(c), squares));
        const [, variances] = scan(
          (variance: Tensor, { x }: { x: Tensor }) => [add(x, mul(persistence, variance)), variance] as const,
          square(sigma1),
          shocks,
        );
        const likelihood = mul(-0.5, sum(add(div(squares, variances), log(variances))));
        const jacobian = add(add(b, add(logSigmoid(c), mul(2, logSigmoid(neg(c))))), add(logSigmoid(d), logSigmoid(neg(d))));
        return add(likelihood, jacobian) as Scalar;
      },
    };
  },
  'hmm_example-hmm_example': () => {
    const { y } = readPosterior('hmm_example-hmm_example', 'data.json');
    return {
      like: { a: 0, b: 0, c: 0, d: 0 },
      data: { first: y[0], later: y.slice(1) },
      // a, b: logits of going to state 1 from states 1 and 2, c: log of the lower mean, d: log of the distance to the other
      logDensity: ({ a, b, c, d }: Named<'a' | 'b' | 'c' | 'd'>, { first, later }: Named<'first' | 'later'>) => {
        const means = stack([exp(c), add(exp(c), exp(d))]);
        const emissions = (y: Tensor) => mul(-0.5, square(sub(reshape(y, [y.size, 1]), means)));
        const transitions = stack([stack([logSigmoid(a), logSigmoid(neg(a))]), stack([logSigmoid(b), logSigmoid(neg(b))])]);
        const [forward] = scan(
          (state: Tensor, { x }: { x: Tensor }) => [add(logSumExp(add(reshape(state, [2, 1]), transitions), 0), x)] as const,
          reshape(emissions(first), [2]),
          emissions(later),
        );
        const prior = mul(-0.5, add(square(sub(exp(c), 3)), square(sub(add(exp(c), exp(d)), 10))));
        const jacobian = add(add(logSigmoid(a), logSigmoid(neg(a))), add(add(logSigmoid(b), logSigmoid(neg(b))), add(c, d)));
        return add(add(logSumExp(forward), prior), jacobian) as Scalar;
      },
    };
  },
  'low_dim_gauss_mix-low_dim_gauss_mix': () => {
    const { y } = readPosterior('low_dim_gauss_mix-low_dim_gauss_mix', 'data.json');
    /** log N(y | m, exp(u)) of every y, without its constant. */
    const normals = (y: Tensor, m: Tensor, u: Tensor) => sub(mul(-0.5, square(div(sub(y, m), exp(u)))), u);
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
