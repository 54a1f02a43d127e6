import type { Tree } from '@bpc/core';
import { dispose, type Tensor } from '@tensorflow/tfjs-core';
import type { SplitBatches } from './split-batches.js';

interface PredictOptions {
  readonly predict: (params: Tree, x: Tensor) => Promise<Tensor>;
  readonly params: Tree;
  readonly batches: SplitBatches;
}

/**
 * Logits of a whole split, `[count, classes]`, batch after batch through one compiled program.
 *
 * The last batch is filled up, so that no second shape is compiled.
 */
export async function predictSplit({ predict, params, batches: { count, batch, images } }: PredictOptions): Promise<Float32Array> {
  let logits: Float32Array | undefined;
  for (let start = 0; start < count; start += batch) {
    const x = images(start);
    let rows: Tensor | undefined;
    try {
      rows = await predict(params, x);
      const values = await rows.data();
      const classes = rows.shape[1] ?? 0;
      logits ??= new Float32Array(count * classes);
      logits.set(values.subarray(0, Math.min(batch, count - start) * classes), start * classes);
    } finally {
      dispose(x);
      if (rows !== undefined) dispose(rows);
    }
  }
  return logits ?? new Float32Array(0);
}
