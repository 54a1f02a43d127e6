import type { WindowGeometry } from '../calls.js';

/** Calls `visit` for every window: where its channels start in the output, its image, and its corner in the input. */
function eachWindow(g: WindowGeometry, visit: (at: number, image: number, top: number, left: number) => void): void {
  let at = 0;
  for (let image = 0; image < g.images; image++) {
    for (let i = 0; i < g.outHeight; i++) {
      for (let j = 0; j < g.outWidth; j++, at += g.channels)
        visit(at, image, i * g.strides[0] - g.padding[0], j * g.strides[1] - g.padding[1]);
    }
  }
}

let taps = new Int32Array(0);

/** Where the channels of each pixel of a window start, in `taps`; pixels outside the image are left out. Returns how many. */
function findTaps(g: WindowGeometry, image: number, top: number, left: number): number {
  if (taps.length < g.kernel[0] * g.kernel[1]) taps = new Int32Array(g.kernel[0] * g.kernel[1]);
  let count = 0;
  for (let u = 0; u < g.kernel[0]; u++) {
    const y = top + u * g.dilations[0];
    if (y < 0 || y >= g.height) continue;
    for (let v = 0; v < g.kernel[1]; v++) {
      const x = left + v * g.dilations[1];
      if (x >= 0 && x < g.width) taps[count++] = ((image * g.height + y) * g.width + x) * g.channels;
    }
  }
  return count;
}

/** Position of the first maximum of a channel over the window in `taps`. */
function firstMaximum(x: Float64Array, channel: number, count: number): number {
  let best = (taps[0] as number) + channel;
  for (let k = 1; k < count; k++) {
    const position = (taps[k] as number) + channel;
    if ((x[position] as number) > (x[best] as number)) best = position;
  }
  return best;
}

export function AvgPool(g: WindowGeometry, out: Float64Array, x: Float64Array): void {
  eachWindow(g, (at, image, top, left) => {
    const count = findTaps(g, image, top, left);
    for (let c = 0; c < g.channels; c++) {
      let sum = 0;
      for (let k = 0; k < count; k++) sum += x[(taps[k] as number) + c] as number;
      out[at + c] = sum / count;
    }
  });
}

export function AvgPoolGrad(g: WindowGeometry, out: Float64Array, dy: Float64Array): void {
  out.fill(0);
  eachWindow(g, (at, image, top, left) => {
    const count = findTaps(g, image, top, left);
    for (let k = 0; k < count; k++) {
      const tap = taps[k] as number;
      for (let c = 0; c < g.channels; c++) out[tap + c] = (out[tap + c] as number) + (dy[at + c] as number) / count;
    }
  });
}

export function MaxPool(g: WindowGeometry, out: Float64Array, x: Float64Array): void {
  eachWindow(g, (at, image, top, left) => {
    const count = findTaps(g, image, top, left);
    for (let c = 0; c < g.channels; c++) out[at + c] = count === 0 ? Number.NEGATIVE_INFINITY : (x[firstMaximum(x, c, count)] as number);
  });
}

export function MaxPoolGrad(g: WindowGeometry, out: Float64Array, dy: Float64Array, x: Float64Array): void {
  out.fill(0);
  eachWindow(g, (at, image, top, left) => {
    const count = findTaps(g, image, top, left);
    for (let c = 0; c < g.channels && count > 0; c++) {
      const best = firstMaximum(x, c, count);
      out[best] = (out[best] as number) + (dy[at + c] as number);
    }
  });
}

export function MaxPoolGather(g: WindowGeometry, out: Float64Array, v: Float64Array, x: Float64Array): void {
  eachWindow(g, (at, image, top, left) => {
    const count = findTaps(g, image, top, left);
    for (let c = 0; c < g.channels; c++) out[at + c] = count === 0 ? 0 : (v[firstMaximum(x, c, count)] as number);
  });
}
