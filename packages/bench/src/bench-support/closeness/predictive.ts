import { ShapeError } from '@bpc/core';
import { normalCdf } from './normal-cdf.js';

/** What a posterior predicts at some inputs. Plain numbers, so that it can be stored. */
export type Predictive =
  /** Probabilities `[inputs, classes]`, row-major, averaged over the posterior. */
  | { readonly kind: 'classes'; readonly classes: number; readonly probabilities: readonly number[] }
  /** A normal distribution of the target at each input, noise included. */
  | { readonly kind: 'normal'; readonly mean: readonly number[]; readonly variance: readonly number[] };

/**
 * Total variation distance ½ ∫ |p − q| of two normal distributions, in [0, 1].
 *
 * The density of the narrower one is larger exactly between the two places where they cross (on one side of one place, if
 * their variances are equal), so that it is a difference of distribution functions.
 */
export function normalTotalVariation(mean1: number, variance1: number, mean2: number, variance2: number): number {
  if (variance1 > variance2) return normalTotalVariation(mean2, variance2, mean1, variance1);
  const [sd1, sd2] = [Math.sqrt(variance1), Math.sqrt(variance2)];
  const shift = mean2 - mean1;
  // Roots of x²(1/v₁ − 1/v₂) + 2xδ/v₂ − δ²/v₂ − ln(v₂/v₁) = 0, x counted from the mean of the narrower one.
  const a = 1 / variance1 - 1 / variance2;
  if (a * variance1 < 1e-10) return 2 * normalCdf(Math.abs(shift) / (2 * sd1)) - 1;
  const b = shift / variance2;
  const root = Math.sqrt(b * b + a * (b * shift + Math.log(variance2 / variance1)));
  const [low, high] = [(-b - root) / a, (-b + root) / a];
  const inside = (from: number, sd: number) => normalCdf((high - from) / sd) - normalCdf((low - from) / sd);
  return inside(0, sd1) - inside(shift, sd2);
}

function unlike(): never {
  throw new ShapeError('the two predictives are not of the same inputs and kind', 'compare predictives of one model at one set of inputs');
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** Total variation distance of the predictive distributions, averaged over inputs. @throws ShapeError unless they are of one kind and size. */
export function totalVariation(p: Predictive, q: Predictive): number {
  if (p.kind === 'classes') {
    if (q.kind !== 'classes' || q.classes !== p.classes || q.probabilities.length !== p.probabilities.length) return unlike();
    const inputs = p.probabilities.length / p.classes;
    return sum(p.probabilities.map((value, i) => Math.abs(value - (q.probabilities[i] ?? Number.NaN)))) / (2 * inputs);
  }
  if (q.kind !== 'normal' || q.mean.length !== p.mean.length) return unlike();
  const at = (i: number) =>
    normalTotalVariation(p.mean[i] as number, p.variance[i] as number, q.mean[i] as number, q.variance[i] as number);
  return sum(p.mean.map((_, i) => at(i))) / p.mean.length;
}

const bestClass = (probabilities: readonly number[], start: number, classes: number): number => {
  let best = 0;
  for (let c = 1; c < classes; c++) if ((probabilities[start + c] as number) > (probabilities[start + best] as number)) best = c;
  return best;
};

/**
 * How often two predictives would decide alike, in [0, 1]: the share of inputs with the same most probable class; of a
 * regression, the share of pairs of inputs that the predicted means put in the same order (half of a pair for a tie).
 *
 * @throws ShapeError unless they are of one kind and size.
 */
export function agreement(p: Predictive, q: Predictive): number {
  if (p.kind === 'classes') {
    if (q.kind !== 'classes' || q.classes !== p.classes || q.probabilities.length !== p.probabilities.length) return unlike();
    const { classes } = p;
    const inputs = p.probabilities.length / classes;
    let same = 0;
    for (let i = 0; i < inputs; i++) {
      if (bestClass(p.probabilities, i * classes, classes) === bestClass(q.probabilities, i * classes, classes)) same++;
    }
    return same / inputs;
  }
  if (q.kind !== 'normal' || q.mean.length !== p.mean.length) return unlike();
  const count = p.mean.length;
  let alike = 0;
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < i; j++) {
      const [first, second] = [p, q].map(({ mean }) => Math.sign((mean[i] as number) - (mean[j] as number)));
      if (first === second) alike += 1;
      else if (first === 0 || second === 0) alike += 0.5;
    }
  }
  return alike / ((count * (count - 1)) / 2);
}
