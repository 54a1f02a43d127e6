import type { RunConfig } from '../config/index.js';
import type { ImageShape } from '../data/dataset.js';

// Measured on two cores of a cloud machine with ONNX Runtime: microseconds of one thread per forward pass of one image and
// per million multiplications of its network, and what a pass costs at least. Half of it or twice as much is possible.
const microsecondsPerMillion = 30;
const leastMicroseconds = 15;

type Shaped = Pick<RunConfig, 'network' | 'width' | 'depth'>;

/** Multiplications of one forward pass, up to the small layers. */
function multiplications({ network, width, depth }: Shaped, [height, columns, channels]: ImageShape): number {
  if (network === 'mlp') return width * (height * columns * channels + (depth - 1) * width);
  let total = 0;
  for (let block = 0, area = height * columns; block < depth; block++, area /= 4)
    total += 9 * (block === 0 ? channels : width) * width * area;
  return total;
}

/** About how many seconds one forward pass of one image takes one thread on ONNX Runtime, to a factor of two. */
export const passSeconds = (config: Shaped, shape: ImageShape): number =>
  Math.max(leastMicroseconds, (microsecondsPerMillion * multiplications(config, shape)) / 1e6) / 1e6;
