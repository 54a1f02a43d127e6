import { foldIn, type Key, key, langevin, normal } from '@bpc/core';
import { add, matMul, mul, neg, softplus, square, sum, type Tensor, zeros } from '@tensorflow/tfjs-core';

/** −log posterior of a small logistic regression: x [n, k] has the labels' signs in it, w [k, 1]. */
function energy(w: Tensor, x: Tensor): Tensor {
  return add(sum(softplus(neg(matMul(x, w)))), mul(0.5, sum(square(w))));
}

const points = 100;
const features = 10;

/** A Langevin step of that regression, with noise, as programs of samplers are; tensors of the current tfjs backend. */
export function smallProgram() {
  const { init, step } = langevin({ energy: (w: Tensor, x) => energy(w, x as Tensor), stepSize: 0.001, temperature: 1 });
  return {
    step: (k: Key, position: Tensor, x: Tensor): Tensor => step(k, { position }, x)[0].position,
    key: (i: number) => foldIn(key(1), i),
    position: init(zeros([features, 1]), key(0)).position,
    x: normal(key(2), [points, features]),
  };
}
