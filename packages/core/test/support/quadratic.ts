import type { Coreset, Key, Objective } from '@bpc/core';
import { normal } from '@bpc/core';
import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import { add, mean, mul, square, sub } from '@tensorflow/tfjs-core';

/** Noisy pull of every input towards `target`; its state counts steps, so that resuming has something to restore. */
export function noisyPull({
  target = 2,
  failAt = Number.POSITIVE_INFINITY,
}: {
  target?: number;
  failAt?: number;
} = {}): Objective<{ readonly drift: Tensor }> {
  return {
    name: 'noisy pull',
    init: (key) => ({ drift: normal(key, [1, 3]) }),
    async prepare(runtime, _like, learnable) {
      const program = runtime.compile((key: Key, { x, y, weights }: Coreset, state: { readonly drift: Tensor }) => {
        const difference = sub(add(x, mul(normal(key, x.shape), 0.1)), target);
        const grad = {
          ...(learnable.x ? { x: add(difference, mul(state.drift, 0.01)) } : {}),
          ...(learnable.y ? { y } : {}),
          ...(learnable.weights ? { weights } : {}),
        };
        return { grad, value: mean(square(difference)) as Scalar, state: { drift: mul(state.drift, 0.9) } };
      });
      let calls = 0;
      return {
        step: async (key, coreset, state) => {
          if (calls++ === failAt) throw new Error('the disk with the experts is gone');
          return program(key, coreset, state);
        },
        dispose: () => program.dispose(),
      };
    },
  };
}
