import type { GradConfig, Tensor } from '@tensorflow/tfjs-core';
import { broadcastTo, einsum, matMul, mul, reshape } from '@tensorflow/tfjs-core';
import { rule, single, sumTo } from './rule.js';

/**
 * The gradient of one factor of a sum of products is the sum of products of dy with the other factors. Axes that only this
 * factor had were summed by themselves: there every element gets the same.
 */
function einsumGradient(dy: Tensor, factors: readonly Tensor[], terms: readonly string[], output: string, which: number): Tensor {
  const own = terms[which] ?? '';
  const others = terms.flatMap((letters, i) => (i === which ? [] : [{ letters, tensor: factors[i] as Tensor }]));
  const known = [...own].filter((letter) => output.includes(letter) || others.some(({ letters }) => letters.includes(letter)));
  const target = known.join('');
  const rest = others.map(({ letters }) => letters).join(',');
  const tensors = others.map(({ tensor }) => tensor);
  // A scalar dy has no letters, which an equation cannot say.
  const part =
    output === ''
      ? mul(dy, tensors.length > 0 ? einsum(`${rest}->${target}`, ...tensors) : 1)
      : einsum(`${[output, ...others.map(({ letters }) => letters)].join(',')}->${target}`, dy, ...tensors);
  const x = factors[which] as Tensor;
  const kept = x.shape.map((length, i) => (known.includes(own[i] ?? '') ? length : 1));
  return broadcastTo(reshape(part, kept), x.shape);
}

/** Rules of matrix products and of sums of products. */
export const linearRules: readonly GradConfig[] = [
  rule<{ transposeA: boolean; transposeB: boolean }, 'a' | 'b'>('BatchMatMul', ['a', 'b'], (dy, { a, b }, { transposeA, transposeB }) => ({
    // Leading axes may have been broadcast, hence sumTo.
    a: () => sumTo(transposeA ? matMul(b, dy, transposeB, true) : matMul(dy, b, false, !transposeB), a.shape),
    b: () => sumTo(transposeB ? matMul(dy, a, true, transposeA) : matMul(a, dy, !transposeA, false), b.shape),
  })),
  {
    kernelName: 'Einsum',
    saveAllInputs: true,
    gradFunc: (dys, saved, attributes) => {
      const [left = '', output = ''] = String(attributes['equation']).replace(/\s/g, '').split('->');
      const terms = left.split(',');
      return Object.fromEntries(saved.map((_, i) => [String(i), () => einsumGradient(single(dys), saved, terms, output, i)]));
    },
  },
];
