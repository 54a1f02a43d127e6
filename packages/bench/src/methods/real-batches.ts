import { type BatchSource, classTargets, hostPermutation } from '@bpc/core';
import { tensor } from '@tensorflow/tfjs-core';
import type { Dataset } from '../data/dataset.js';
import { toFloat } from '../data/to-float.js';

// softmax(40·e_c) is e_c in float32, so that real labels stay what they are where a coreset's are learned as logits.
const certain = 40;

/**
 * Batches of `size` training images, each drawn from its key without replacement and converted to floats when it is asked
 * for. Classes come in as they are drawn: an imbalanced data set gives imbalanced batches.
 *
 * @param labels - the form of `y`, that of the coreset beside it.
 * @example
 * ```ts
 * import { getDataset, realBatches } from '@bpc/bench';
 * const real = realBatches(await getDataset('digits'), { size: 128, labels: 'probabilities' });
 * console.log(real.count); // 1197
 * ```
 */
export function realBatches(
  { train, classes, normalisation }: Pick<Dataset, 'train' | 'classes' | 'normalisation'>,
  { size, labels }: { readonly size: number; readonly labels: 'probabilities' | 'logits' },
): BatchSource {
  const targets = labels === 'logits' ? ({ kind: 'scaled', scale: certain } as const) : ({ kind: 'one-hot' } as const);
  return {
    count: train.count,
    draw: async (key) => {
      const indices = hostPermutation(key, train.count).subarray(0, size);
      const drawn = Int32Array.from(indices, (index) => train.labels[index] ?? -1);
      return {
        x: tensor(toFloat(train, indices, normalisation), [size, ...train.shape], 'float32'),
        y: classTargets(drawn, classes, targets),
      };
    },
  };
}
