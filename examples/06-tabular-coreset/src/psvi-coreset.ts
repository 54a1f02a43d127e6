import { jsRuntime } from '@bpc/compiler';
import {
  adam,
  type Batch,
  type Coreset,
  cosineSchedule,
  disposeTree,
  type Key,
  laplaceDraws,
  learn,
  type Model,
  perPart,
  psvi,
  sampled,
} from '@bpc/core';
import {
  add,
  clone,
  matMul,
  mul,
  neg,
  relu,
  reshape,
  softplus,
  square,
  sum,
  type Tensor,
  type Tensor1D,
  tensor1d,
  tensor2d,
  zeros,
} from '@tensorflow/tfjs-core';
import { COMPONENTS, SIZE, type WeightedPoints } from './data.js';
import { PRIOR_PRECISION } from './regression.js';

type Coefficients = { readonly slopes: Tensor; readonly intercept: Tensor };

/** The regression for learning: the column of ones is an intercept, which no pseudo-point can move. */
const model: Model<Coefficients> = {
  init: () => ({ slopes: zeros([COMPONENTS, 1]), intercept: zeros([1]) }),
  logPrior: ({ slopes, intercept }) => mul(add(sum(square(slopes)), sum(square(intercept))), -PRIOR_PRECISION / 2),
  logLikelihood({ slopes, intercept }, { x, y }) {
    const margins = mul(y, add(matMul(x, slopes), intercept));
    return neg(softplus(neg(reshape(margins, [-1])))) as Tensor1D;
  },
};

function batchOf({ x, sign }: WeightedPoints): Batch {
  const inputs = Float32Array.from(
    { length: sign.length * COMPONENTS },
    (_, i) => x[Math.floor(i / COMPONENTS) * SIZE + (i % COMPONENTS)] ?? 0,
  );
  return { x: tensor2d(inputs, [sign.length, COMPONENTS]), y: tensor2d(Float32Array.from(sign), [sign.length, 1]) };
}

async function pointsOf({ x, y, weights }: Coreset): Promise<WeightedPoints> {
  const [inputs, sign, weight] = await Promise.all([x.data(), y.data(), weights.data()]);
  const padded = Float64Array.from({ length: sign.length * SIZE }, (_, i) => {
    const [row, column] = [Math.floor(i / SIZE), i % SIZE];
    return column < COMPONENTS ? (inputs[row * COMPONENTS + column] ?? Number.NaN) : 1;
  });
  return { x: padded, sign: Float64Array.from(sign), weights: Float64Array.from(weight) };
}

/**
 * Points and weights learned by PSVI from `start`, labels as they are.
 *
 * Manousakas et al. 2020 with two changes that their noise asks for. Sums run over all points of the data at each step where
 * they take 200 of them: near the end the difference of two posteriors drowns in the noise of a subset. And rates follow a
 * cosine, for points and weights apart (a weight is of the order of N/M), where theirs is i₀/(1 + i) for both; β₂ is 0.99,
 * since the first gradients are thousands of times the last ones and Adam must forget them.
 */
export async function psviCoreset(options: {
  readonly full: WeightedPoints;
  readonly start: WeightedPoints;
  readonly steps: number;
  readonly key: Key;
}): Promise<WeightedPoints> {
  const { full, start, steps, key } = options;
  const runtime = jsRuntime();
  const data = batchOf(full);
  const first: Coreset = { ...batchOf(start), weights: tensor1d(Float32Array.from(start.weights)) };
  const count = full.sign.length;
  const cosine = (peak: number) => adam({ learningRate: cosineSchedule({ peak, totalSteps: steps }), beta2: 0.99 });
  try {
    const learned = await learn({
      objective: sampled(psvi({ draws: 100, posterior: laplaceDraws(), pointsAtOnce: count }), {
        model,
        // PSVI has no experts: the search of the mode starts at zero.
        experts: { count: 1, epochs: 1, load: async () => model.init(key) },
        real: { count, draw: async () => ({ x: clone(data.x), y: clone(data.y) }) },
      }),
      coreset: first,
      learnable: { x: true, weights: true },
      optimizer: perPart({ x: cosine(0.1), weights: cosine((0.03 * count) / start.sign.length) }),
      project: (coreset) => ({ ...coreset, weights: relu(coreset.weights) as Tensor1D }),
      runtime,
      steps,
      key,
    }).collect();
    const points = await pointsOf(learned);
    disposeTree(learned);
    return points;
  } finally {
    disposeTree([data, first]);
    await runtime.dispose();
  }
}
