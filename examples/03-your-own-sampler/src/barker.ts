import {
  type Algorithm,
  cloneTree,
  foldIn,
  normalLike,
  scope,
  split,
  type Tree,
  treeLeaves,
  treeMap,
  uniform,
  valueAndGrad,
} from '@bpc/core';
import { metropolis } from '@bpc/samplers';
import {
  add,
  clone,
  div,
  less,
  mul,
  neg,
  onesLike,
  type Scalar,
  scalar,
  sigmoid,
  softplus,
  sqrt,
  sub,
  sum,
  where,
} from '@tensorflow/tfjs-core';

/** Where the chain is, log p and its gradient there, and what the warm-up tunes, as it finds it under these names. */
export type BarkerState<P extends Tree> = {
  readonly position: P;
  readonly logDensity: Scalar;
  readonly gradient: P;
  readonly stepSize: Scalar;
  readonly inverseMass: P;
};

export interface BarkerOptions<P extends Tree> {
  readonly logDensity: (params: P, data?: Tree) => Scalar;
  /** Standard deviation of a jump before the warm-up, in units of the inverse mass' root. */
  readonly stepSize: number;
  readonly temperature?: number;
}

/**
 * The Barker proposal (Livingstone & Zanella 2022): every number jumps by a normal z, up the gradient g with probability
 * σ(z·g), down it otherwise; accepted with min(1, ratio). Forgives step sizes that are far too large, as MALA does not.
 */
export function barker<P extends Tree>({
  logDensity,
  stepSize,
  temperature = 1,
}: BarkerOptions<P>): Algorithm<P, BarkerState<P>, { readonly acceptance: Scalar }> {
  const evaluate = (position: P, data?: Tree) => {
    const { value, grad } = valueAndGrad((params: P) => div(logDensity(params, data), temperature))(position);
    return { position, logDensity: value, gradient: grad };
  };
  return {
    init: (position, _key, data) =>
      scope(() => ({
        ...evaluate(cloneTree(position), data),
        stepSize: scalar(stepSize),
        inverseMass: treeMap((x) => onesLike(x), position),
      })),
    step: (key, { stepSize: scale, inverseMass, ...current }, data) =>
      scope(() => {
        const [sizeKey, sideKey, acceptKey] = split(key, 3);
        const { position, gradient } = current;
        let leaf = 0;
        const jump = treeMap(
          (xi, g, variance) => {
            const z = mul(mul(xi, sqrt(variance)), scale);
            return where(less(uniform(foldIn(sideKey, leaf++), z.shape), sigmoid(mul(z, g))), z, neg(z));
          },
          normalLike(sizeKey, position),
          gradient,
          inverseMass,
        );
        const proposed = evaluate(
          treeMap((x, z) => add(x, z), position, jump),
          data,
        );
        // log of q(y → x)/q(x → y), number by number: σ(−z·g(y))/σ(z·g(x)).
        const back = treeMap((z, g, h) => sum(sub(softplus(neg(mul(z, g))), softplus(mul(z, h)))), jump, gradient, proposed.gradient);
        const logRatio = treeLeaves(back).reduce<Scalar>((total, each) => add(total, each), sub(proposed.logDensity, current.logDensity));
        const random = uniform(acceptKey, []) as Scalar;
        const { state, acceptance } = metropolis({ current, proposed, logRatio, logDensity: proposed.logDensity, uniform: random });
        return [{ ...state, stepSize: clone(scale), inverseMass: cloneTree(inverseMass) }, { acceptance }] as const;
      }),
  };
}
