import type { FeatureNetwork, Program, Runtime, Tree } from '@bpc/core';
import { dispose, type Tensor, tensor } from '@tensorflow/tfjs-core';
import type { Dataset } from '../data/dataset.js';
import { toFloat } from '../data/to-float.js';

/** Where the distances between training images are taken: their pixels, or what a network makes of them. */
export interface FeatureSource {
  /** Numbers per image. */
  readonly size: number;
  /** Rows of some training images, `[indices, size]`, fresh. */
  read(indices: Int32Array): Promise<Float32Array>;
  dispose(): Promise<void>;
}

/** Normalised pixels. */
export function pixelFeatures({ train, normalisation, shape }: Dataset): FeatureSource {
  return {
    size: shape[0] * shape[1] * shape[2],
    read: async (indices) => toFloat(train, indices, normalisation),
    dispose: async () => undefined,
  };
}

interface NetworkFeatureOptions {
  readonly dataset: Dataset;
  readonly network: FeatureNetwork<Tree>;
  /** Borrowed until the source is disposed. */
  readonly params: Tree;
  readonly runtime: Runtime;
  /** How many images go through the network at once. */
  readonly batch: number;
}

/** What the last layer of a network sees, computed batch after batch through one compiled program. */
export function networkFeatures({ dataset, network, params, runtime, batch }: NetworkFeatureOptions): FeatureSource {
  const { train, normalisation, shape } = dataset;
  const size = network.featureCount;
  const program: Program<[Tree, Tensor], Tensor> = runtime.compile((p: Tree, x: Tensor) => network.features(p, x));
  return {
    size,
    async read(indices) {
      const rows = new Float32Array(indices.length * size);
      for (let start = 0; start < indices.length; start += batch) {
        // The last batch is filled up with its own first image, so that no second shape is compiled.
        const part = Int32Array.from({ length: batch }, (_, i) => indices[start + i] ?? indices[start] ?? 0);
        const x = tensor(toFloat(train, part, normalisation), [batch, ...shape], 'float32');
        let features: Tensor | undefined;
        try {
          features = await program(params, x);
          const values = Float32Array.from(await features.data());
          rows.set(values.subarray(0, Math.min(batch, indices.length - start) * size), start * size);
        } finally {
          dispose(x);
          if (features !== undefined) dispose(features);
        }
      }
      return rows;
    },
    dispose: () => program.dispose(),
  };
}
