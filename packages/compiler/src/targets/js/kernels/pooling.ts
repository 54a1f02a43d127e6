import type { WindowGeometry } from '../calls.js';

type Bounds = { readonly image: number; readonly top: number; readonly left: number };

/** Calls `visit` for every output element with its window's corner. */
function eachWindow(g: WindowGeometry, visit: (position: number, channel: number, bounds: Bounds) => void): void {
  let position = 0;
  for (let image = 0; image < g.images; image++) {
    for (let i = 0; i < g.outHeight; i++) {
      for (let j = 0; j < g.outWidth; j++) {
        const bounds = { image, top: i * g.strides[0] - g.padding[0], left: j * g.strides[1] - g.padding[1] };
        for (let c = 0; c < g.channels; c++) visit(position++, c, bounds);
      }
    }
  }
}

/** Calls `visit` with the position of every element of a window that lies inside the image; returns how many there are. */
function eachElement(g: WindowGeometry, channel: number, { image, top, left }: Bounds, visit: (position: number) => void): number {
  let count = 0;
  for (let u = 0; u < g.kernel[0]; u++) {
    const y = top + u * g.dilations[0];
    if (y < 0 || y >= g.height) continue;
    for (let v = 0; v < g.kernel[1]; v++) {
      const x = left + v * g.dilations[1];
      if (x < 0 || x >= g.width) continue;
      count++;
      visit(((image * g.height + y) * g.width + x) * g.channels + channel);
    }
  }
  return count;
}

/** Position of the first maximum of a window; −1 for a window without elements. */
function firstMaximum(g: WindowGeometry, x: Float64Array, channel: number, bounds: Bounds): number {
  let best = -1;
  eachElement(g, channel, bounds, (position) => {
    if (best < 0 || (x[position] as number) > (x[best] as number)) best = position;
  });
  return best;
}

export function AvgPool(g: WindowGeometry, out: Float64Array, x: Float64Array): void {
  eachWindow(g, (at, channel, bounds) => {
    let sum = 0;
    const count = eachElement(g, channel, bounds, (position) => { sum += x[position] as number; });
    out[at] = sum / count;
  });
}

export function AvgPoolGrad(g: WindowGeometry, out: Float64Array, dy: Float64Array): void {
  out.fill(0);
  eachWindow(g, (at, channel, bounds) => {
    const count = eachElement(g, channel, bounds, () => {});
    const share = (dy[at] as number) / count;
    eachElement(g, channel, bounds, (position) => { out[position] = (out[position] as number) + share; });
  });
}

export function MaxPool(g: WindowGeometry, out: Float64Array, x: Float64Array): void {
  eachWindow(g, (at, channel, bounds) => {
    const best = firstMaximum(g, x, channel, bounds);
    out[at] = best < 0 ? Number.NEGATIVE_INFINITY : (x[best] as number);
  });
}

export function MaxPoolGrad(g: WindowGeometry, out: Float64Array, dy: Float64Array, x: Float64Array): void {
  out.fill(0);
  eachWindow(g, (at, channel, bounds) => {
    const best = firstMaximum(g, x, channel, bounds);
    if (best >= 0) out[best] = (out[best] as number) + (dy[at] as number);
  });
}

export function MaxPoolGather(g: WindowGeometry, out: Float64Array, v: Float64Array, x: Float64Array): void {
  eachWindow(g, (at, channel, bounds) => {
    const best = firstMaximum(g, x, channel, bounds);
    out[at] = best < 0 ? 0 : (v[best] as number);
  });
}
