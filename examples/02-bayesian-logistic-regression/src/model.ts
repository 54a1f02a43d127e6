import { getDataset, type Split, type SplitRole } from '@bpc/bench';
import { minibatchLogDensity, real, target } from '@bpc/samplers';
import { add, matMul, mul, neg, reshape, softplus, square, sum, type Tensor } from '@tensorflow/tfjs-core';

const SIDE = 4;
const FEATURES = SIDE * SIDE;

/** Features `[rows, 16]` of the images, and signs: 1 for odd digits, −1 for even ones. */
export type Rows = {
  readonly x: { readonly data: Float64Array; readonly shape: readonly [number, number] };
  readonly sign: Float64Array;
};

/** Ink in each of 4×4 fields of 2×2 pixels. */
function ink({ images, count }: Split<SplitRole>): Float64Array {
  const out = new Float64Array(count * FEATURES);
  images.forEach((value, i) => {
    const [image, row, column] = [Math.floor(i / 64), Math.floor(i / 8) % 8, i % 8];
    const field = SIDE * (row >> 1) + (column >> 1);
    out[image * FEATURES + field] = (out[image * FEATURES + field] ?? 0) + value;
  });
  return out;
}

const digits = await getDataset('digits');
const trainInk = ink(digits.train);
const { count } = digits.train;

/** Mean and standard deviation of each field over the training images. */
const scales = Array.from({ length: FEATURES }, (_, f) => {
  const values = Array.from({ length: count }, (__, i) => trainInk[i * FEATURES + f] ?? 0);
  const mean = values.reduce((a, b) => a + b, 0) / count;
  return { mean, deviation: Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / count) };
});

function rows(split: Split<SplitRole>): Rows {
  const data = ink(split).map((value, i) => {
    const { mean, deviation } = scales[i % FEATURES] ?? { mean: 0, deviation: 1 };
    return (value - mean) / deviation;
  });
  return { x: { data, shape: [split.count, FEATURES] }, sign: Float64Array.from(split.labels, (label) => (label % 2 === 1 ? 1 : -1)) };
}

export const train = rows(digits.train);
export const test = rows(digits.test);

type Params = { readonly weights: Tensor; readonly bias: Tensor };
type Batch = { readonly x: Tensor; readonly sign: Tensor };

/** Is the digit odd? weights, bias ~ N(0, 1); log p(sign | x) = −log(1 + exp(−sign·(x·weights + bias))). */
export const model = target({
  parameters: { weights: real([FEATURES]), bias: real() },
  data: train,
  // Given all rows it is the log density itself, given some of them an unbiased estimate.
  logDensity: minibatchLogDensity({
    logPrior: ({ weights, bias }: Params) => mul(add(sum(square(weights)), square(bias)), -0.5),
    logLikelihood({ weights, bias }: Params, { x, sign }: Batch) {
      const logits = add(reshape(matMul(x, reshape(weights, [-1, 1])), [-1]), bias);
      return neg(softplus(neg(mul(sign, logits))));
    },
    size: count,
  }),
});
