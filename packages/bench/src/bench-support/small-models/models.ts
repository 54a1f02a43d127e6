import type { HostTree } from '@bpc/core';
import { add, div, exp, log, matMul, mul, reshape, type Scalar, square, sub, sum, type Tensor } from '@tensorflow/tfjs-core';
import { arData, kidIqData, logisticData, type Regression, schoolsData } from './data.js';

/** A log density of a few parameters, as samplers evaluate it a million times. */
export interface SmallModel {
  /** What a table calls it. */
  readonly title: string;
  readonly like: HostTree;
  readonly data: HostTree;
  /** Its parameters and data are tensors named like `like` and `data`. */
  readonly logDensity: (params: never, data: never) => Scalar;
  /** Value and gradient per timed block: some milliseconds of generated code. */
  readonly calls: number;
  /** Worth timing in float32: others lose digits in it that their samplers need. */
  readonly float32: boolean;
  /** Microseconds that ours should not exceed. */
  readonly goal?: number;
}

type Named<N extends string> = { readonly [K in N]: Tensor };

const sumSquares = (x: Tensor) => sum(square(x));
/** Half-Cauchy(0, scale) on exp(u), with the log-Jacobian of exp. */
const halfCauchy = (u: Tensor, scale: number) => sub(u, log(add(1, square(div(exp(u), scale)))));

/** Σ log N(y | X·a, exp(b)) and a prior, without constants; the flat order is a, b. */
const regression = (
  { X, y }: Regression,
  prior: (a: Tensor, b: Tensor) => Tensor,
): Pick<SmallModel, 'like' | 'data' | 'logDensity' | 'float32'> => {
  const width = X[0]?.length ?? 0;
  return {
    like: { a: new Float64Array(width), b: 0 },
    data: { X, y: y.map((v) => [v]) },
    logDensity: ({ a, b }: Named<'a' | 'b'>, data: Named<'X' | 'y'>) => {
      const residuals = sub(data.y, matMul(data.X, reshape(a, [width, 1])));
      return add(prior(a, b), sub(mul(mul(-0.5, sumSquares(residuals)), exp(mul(-2, b))), mul(y.length, b))) as Scalar;
    },
    float32: false,
  };
};

/** The models by the names that `--models` takes. */
export const smallModels = {
  logistic: (): SmallModel => {
    const { X, y } = logisticData(1000, 10);
    return {
      title: 'logistic 1000×10',
      like: { q: new Float64Array(10) },
      data: { X, y: y.map((v) => [v]) },
      logDensity: ({ q }: Named<'q'>, data: Named<'X' | 'y'>) => {
        const z = matMul(data.X, reshape(q, [10, 1]));
        return sub(sum(sub(mul(data.y, z), log(add(1, exp(z))))), mul(0.5, sumSquares(q))) as Scalar;
      },
      calls: 500,
      float32: true,
    };
  },
  'eight-schools': (): SmallModel => ({
    title: 'eight schools',
    like: { mu: 0, tau: 0, z: new Float64Array(8) },
    data: schoolsData(),
    logDensity: ({ mu, tau, z }: Named<'mu' | 'tau' | 'z'>, { y, sigma }: Named<'y' | 'sigma'>) => {
      const theta = add(mu, mul(exp(tau), z));
      const likelihood = mul(-0.5, sumSquares(div(sub(y, theta), sigma)));
      return add(add(likelihood, mul(-0.5, sumSquares(z))), add(mul(-0.5, square(div(mu, 5))), halfCauchy(tau, 5))) as Scalar;
    },
    calls: 50_000,
    float32: false,
    goal: 0.15,
  }),
  arK: (): SmallModel => ({
    title: 'arK (195)',
    ...regression(arData(), (a, b) => add(mul(-0.005, sumSquares(a)), halfCauchy(b, 2.5))),
    calls: 10_000,
    goal: 0.7,
  }),
  kidiq: (): SmallModel => ({
    title: 'kidiq (434)',
    ...regression(kidIqData(), (_, b) => halfCauchy(b, 2.5)),
    calls: 10_000,
    goal: 0.7,
  }),
} as const;

export type SmallModelName = keyof typeof smallModels;

export const smallModelNames = ['logistic', 'eight-schools', 'arK', 'kidiq'] as const satisfies readonly SmallModelName[];
