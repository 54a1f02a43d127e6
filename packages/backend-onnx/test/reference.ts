import type { Window } from '@bpc/compiler';

type Image = { readonly data: ArrayLike<number>; readonly shape: readonly number[] };
type Visit = (output: number, position: number, tap: number, b: number) => void;

const dims = (shape: readonly number[]) => shape as readonly [number, number, number, number];

/** Output height and width of a window over an image. */
export function windowOutput(
  [, h, w]: readonly [number, number, number, number],
  { kernel, strides, dilations, padding }: Window,
): [number, number] {
  const length = (size: number, axis: 0 | 1) =>
    Math.floor((size + padding[axis] + padding[(axis + 2) as 2 | 3] - (kernel[axis] - 1) * dilations[axis] - 1) / strides[axis]) + 1;
  return [length(h, 0), length(w, 1)];
}

/** Calls `visit` for each pair of output pixel and valid input pixel, pixels numbered within their image. */
function eachTap(shape: readonly number[], window: Window, visit: Visit): void {
  const [n, h, w] = dims(shape);
  const [oh, ow] = windowOutput(dims(shape), window);
  const { kernel, strides, dilations, padding } = window;
  for (let b = 0; b < n; b++)
    for (let y = 0; y < oh; y++)
      for (let x = 0; x < ow; x++)
        for (let i = 0; i < kernel[0]; i++)
          for (let j = 0; j < kernel[1]; j++) {
            const row = y * strides[0] - padding[0] + i * dilations[0];
            const column = x * strides[1] - padding[1] + j * dilations[1];
            if (row >= 0 && row < h && column >= 0 && column < w)
              visit((b * oh + y) * ow + x, (b * h + row) * w + column, i * kernel[1] + j, b);
          }
}

const at = (data: ArrayLike<number>, index: number): number => data[index] ?? NaN;
const add = (data: Float64Array, index: number, value: number): void => {
  data[index] = (data[index] ?? 0) + value;
};

/** The definition of a convolution and its two adjoints, in float64. */
export function convolution(x: Image, filter: Image, dy: Image, window: Window) {
  const [, , c = 1, k = 1] = filter.shape;
  const [n] = dims(x.shape);
  const [oh, ow] = windowOutput(dims(x.shape), window);
  const y = new Float64Array(n * oh * ow * k);
  const dx = new Float64Array(x.data.length);
  const dw = new Float64Array(filter.data.length);
  eachTap(x.shape, window, (output, position, tap) => {
    for (let i = 0; i < c; i++)
      for (let o = 0; o < k; o++) {
        const weight = (tap * c + i) * k + o;
        add(y, output * k + o, at(x.data, position * c + i) * at(filter.data, weight));
        add(dx, position * c + i, at(dy.data, output * k + o) * at(filter.data, weight));
        add(dw, weight, at(x.data, position * c + i) * at(dy.data, output * k + o));
      }
  });
  return { y, dx, dw };
}

/** Average pooling over valid elements and its adjoint. */
export function averagePool(x: Image, dy: Image, window: Window) {
  const c = dims(x.shape)[3];
  const counts = new Map<number, number>();
  eachTap(x.shape, window, (output) => counts.set(output, (counts.get(output) ?? 0) + 1));
  const y = new Float64Array(dy.data.length);
  const dx = new Float64Array(x.data.length);
  eachTap(x.shape, window, (output, position) => {
    for (let i = 0; i < c; i++) {
      add(y, output * c + i, at(x.data, position * c + i) / (counts.get(output) ?? 1));
      add(dx, position * c + i, at(dy.data, output * c + i) / (counts.get(output) ?? 1));
    }
  });
  return { y, dx };
}

/** Max pooling, its gradient (dy to the first maximum) and the adjoint of that gradient in dy (v at the first maximum). */
export function maximumPool(x: Image, dy: Image, v: Image, window: Window) {
  const c = dims(x.shape)[3];
  const best = new Int32Array(dy.data.length).fill(-1);
  eachTap(x.shape, window, (output, position) => {
    for (let i = 0; i < c; i++) {
      const seen = at(best, output * c + i);
      if (seen < 0 || at(x.data, position * c + i) > at(x.data, seen)) best[output * c + i] = position * c + i;
    }
  });
  const dx = new Float64Array(x.data.length);
  best.forEach((position, output) => add(dx, position, at(dy.data, output)));
  return {
    y: Float64Array.from(best, (position) => at(x.data, position)),
    dx,
    gathered: Float64Array.from(best, (position) => at(v.data, position)),
  };
}
