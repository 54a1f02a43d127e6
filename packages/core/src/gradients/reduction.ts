import type { GradConfig, Tensor } from '@tensorflow/tfjs-core';
import { cast, div, equal, max, min, mul, reshape, softmax, sub, sum } from '@tensorflow/tfjs-core';
import { untaped } from '../tape.js';
import { expandReduced, keptShape, reducedAxes, rule } from './rule.js';

type Axis = number | number[] | null;

/** Ties share the gradient equally, which keeps it a valid subgradient without needing an argmax over several axes. */
function extremum(kernelName: string, reduce: typeof max): GradConfig {
  return rule<{ reductionIndices?: Axis; axis?: Axis }, 'x'>(kernelName, ['x'], (dy, { x }, attributes) => ({
    x: () => {
      const axes = reducedAxes(attributes.reductionIndices ?? attributes.axis, x.shape);
      const share = untaped(() => {
        const mask: Tensor = cast(equal(x, reduce(x, axes, true)), 'float32');
        return div(mask, sum(mask, axes, true));
      });
      return mul(reshape(dy, keptShape(x.shape, axes)), share);
    },
  }));
}

/** Rules of reductions and of the softmax kernels. */
export const reductionRules: readonly GradConfig[] = [
  rule<{ axis: Axis }, 'x'>('Sum', ['x'], (dy, { x }, { axis }) => ({
    x: () => expandReduced(dy, x.shape, reducedAxes(axis, x.shape)),
  })),
  rule<{ axis: Axis }, 'x'>('Mean', ['x'], (dy, { x }, { axis }) => ({
    x: () => {
      const axes = reducedAxes(axis, x.shape);
      const count = axes.reduce((product, i) => product * (x.shape[i] ?? 1), 1);
      // Scaled before it is repeated: the small tensor is the cheap one. Not by a factor, which would be rounded to float32.
      return expandReduced(div(dy, count), x.shape, axes);
    },
  })),
  extremum('Max', max),
  extremum('Min', min),
  rule('Softmax', ['logits'], (dy, { logits }) => ({
    logits: () => {
      const p = softmax(logits);
      const weighted = mul(dy, p);
      return sub(weighted, mul(p, sum(weighted, -1, true)));
    },
  })),
  rule('LogSoftmax', ['logits'], (dy, { logits }) => ({
    logits: () => sub(dy, mul(softmax(logits), sum(dy, -1, true))),
  })),
];
