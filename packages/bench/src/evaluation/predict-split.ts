import type { Tree } from '@bpc/core';
import { dispose, type Tensor, tensor } from '@tensorflow/tfjs-core';
import type { Normalisation, Split, SplitRole } from '../data/dataset.js';
import { toFloat } from '../data/to-float.js';

interface PredictOptions {
  readonly predict: (params: Tree, x: Tensor) => Promise<Tensor>;
  readonly params: Tree;
  readonly split: Split<SplitRole>;
  readonly normalisation: Normalisation;
  readonly batch: number;
}

/**
 * Logits of a whole split, `[count, classes]`, batch after batch through one compiled program.
 *
 * The last batch is filled up with its own first images, so that no second shape is compiled.
 */
export async function predictSplit({ predict, params, split, normalisation, batch }: PredictOptions): Promise<Float32Array> {
  let logits: Float32Array | undefined;
  for (let start = 0; start < split.count; start += batch) {
    const indices = Int32Array.from({ length: batch }, (_, i) => (start + i < split.count ? start + i : start));
    const x = tensor(toFloat(split, indices, normalisation), [batch, ...split.shape], 'float32');
    let rows: Tensor | undefined;
    try {
      rows = await predict(params, x);
      const values = await rows.data();
      const classes = rows.shape[1] ?? 0;
      logits ??= new Float32Array(split.count * classes);
      const used = Math.min(batch, split.count - start);
      for (let i = 0; i < used * classes; i++) logits[start * classes + i] = values[i] ?? Number.NaN;
    } finally {
      dispose(x);
      if (rows !== undefined) dispose(rows);
    }
  }
  return logits ?? new Float32Array(0);
}
