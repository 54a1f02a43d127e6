/** Layers of equal area below the normal density. A power of two. */
export const layers = 128;

/** Where the tail starts, for 128 layers. */
export const tailDistance = 3.442619855899;

/** Area of one layer, for 128 layers. */
const area = 9.91256303526217e-3;

/** Tables of the ziggurat (Marsaglia & Tsang 2000; for draws of 53 bits, Doornik 2005). */
export interface Ziggurat {
  /** Half widths of the layers from the base up, `[129]`; the last is 0. */
  readonly width: Float64Array;
  /** The part of each layer that is below the density for sure, `[128]`. */
  readonly reach: Float64Array;
}

let tables: Ziggurat | undefined;

/** The tables, made once. */
export function ziggurat(): Ziggurat {
  tables ??= makeTables();
  return tables;
}

function makeTables(): Ziggurat {
  const width = new Float64Array(layers + 1);
  let density = Math.exp(-0.5 * tailDistance ** 2);
  // The base layer includes the tail, and is drawn from like a box of the same area.
  width[0] = area / density;
  width[1] = tailDistance;
  for (let i = 2; i < layers; i++) {
    const edge = Math.sqrt(-2 * Math.log(area / (width[i - 1] as number) + density));
    width[i] = edge;
    density = Math.exp(-0.5 * edge ** 2);
  }
  return { width, reach: Float64Array.from({ length: layers }, (_, i) => (width[i + 1] as number) / (width[i] as number)) };
}
