import type { Shape, Window } from '@bpc/compiler';
import type { LoweringOptions } from './lowering-options.js';
import { axisLength, nhwc } from './shape.js';

/** Outputs per tile along one axis of Winograd's algorithm. */
export type TileSize = 2 | 4;

/** How a convolution and both of its gradients are computed. */
export type ConvPlan =
  | { readonly method: 'pointwise' | 'few-channels' | 'patches' | 'onnx' }
  | { readonly method: 'winograd'; readonly tile: readonly [TileSize, TileSize] };

/** A convolution: its window, and the shapes of x, the filter and y. */
export type Convolution = { readonly window: Window; readonly x: Shape; readonly filter: Shape; readonly y: Shape };

/** Fewest input channels for which products over channels are worth their copies. */
const FEW_CHANNELS = 16;

const TILE_SIZES = [4, 2] as const;

const isUnit = (pair: readonly number[]): boolean => pair.every((value) => value === 1);

/**
 * The cheapest way for a convolution. It depends on nothing but the convolution, so that its gradients make the same choice
 * and share the transforms.
 */
export function planConvolution(convolution: Convolution, options: LoweringOptions): ConvPlan {
  const { window, filter } = convolution;
  const { kernel, strides, dilations, padding } = window;
  const channels = [axisLength(filter, 2), axisLength(filter, 3)];
  if (isUnit(kernel) && isUnit(strides) && padding.every((count) => count === 0)) return { method: 'pointwise' };
  if (options.convolution === 'direct') return { method: 'onnx' };
  if (axisLength(filter, 2) < FEW_CHANNELS && isUnit(strides)) return { method: 'few-channels' };
  const tileable = kernel[0] === 3 && kernel[1] === 3 && isUnit(strides) && isUnit(dilations);
  if (!tileable || options.precise || channels.some((count) => count < FEW_CHANNELS)) return { method: 'patches' };
  const candidates = TILE_SIZES.flatMap((rows) => TILE_SIZES.map((columns) => [rows, columns] as const));
  const costs = candidates.map((tile) => ({ tile, cost: winogradCost(convolution, tile) }));
  const best = costs.reduce((a, b) => (b.cost < a.cost ? b : a));
  return best.cost < patchCost(convolution) ? { method: 'winograd', tile: best.tile } : { method: 'patches' };
}

/**
 * Rows of a product that take as long as moving its filter through memory once, within the cache and beyond: both measured
 * on a processor of 200 billion operations per second. This is what large tiles lose on small images with many channels.
 */
const FILTER_ROWS = 22;
const LARGE_FILTER_ROWS = 67;
const LARGE_FILTER = 1 << 21;

/** Time in multiplications per pair of channels, so that only ratios mean anything. */
function winogradCost({ filter, y }: Convolution, tile: readonly [TileSize, TileSize]): number {
  const [n, oh, ow] = nhwc(y);
  const [c, k] = [axisLength(filter, 2), axisLength(filter, 3)];
  const points = (tile[0] + 2) * (tile[1] + 2);
  const rows = n * Math.ceil(oh / tile[0]) * Math.ceil(ow / tile[1]);
  const transforms = 30 * (1 / c + 1 / k);
  return points * (rows * (1 + transforms) + (points * c * k > LARGE_FILTER ? LARGE_FILTER_ROWS : FILTER_ROWS));
}

function patchCost({ window, filter, y }: Convolution): number {
  const [n, oh, ow] = nhwc(y);
  const taps = window.kernel[0] * window.kernel[1];
  return (
    taps *
    (n * oh * ow * (1 + 40 / axisLength(filter, 3)) +
      0.6 * (taps * axisLength(filter, 2) * axisLength(filter, 3) > LARGE_FILTER ? LARGE_FILTER_ROWS : FILTER_ROWS))
  );
}
