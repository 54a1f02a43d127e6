/** One axis of a resize, with tfjs' conventions for where pixels lie. */
export type ResizeGrid = {
  readonly inputs: number;
  readonly outputs: number;
  /** The centres of the outermost pixels keep their places. */
  readonly alignCorners: boolean;
  /** Pixels are squares whose centres lie at k + ½. */
  readonly halfPixelCenters: boolean;
};

/** Inputs per output. */
function ratioOf({ inputs, outputs, alignCorners }: ResizeGrid): number {
  return alignCorners && outputs > 1 ? (inputs - 1) / (outputs - 1) : inputs / outputs;
}

/** Linear interpolation along one axis as a matrix [outputs, inputs], row-major: each row has at most two weights that sum to 1. */
export function bilinearWeights(grid: ResizeGrid): Float64Array {
  const { inputs, outputs, halfPixelCenters } = grid;
  const ratio = ratioOf(grid);
  const weights = new Float64Array(outputs * inputs);
  for (let output = 0; output < outputs; output++) {
    const position = halfPixelCenters ? ratio * (output + 0.5) - 0.5 : ratio * output;
    const low = Math.max(0, Math.floor(position));
    const high = Math.min(inputs - 1, Math.max(0, Math.ceil(position)));
    const fraction = high === low ? 0 : position - low;
    const at = output * inputs;
    weights[at + low] = 1 - fraction;
    if (high !== low) weights[at + high] = fraction;
  }
  return weights;
}

/** Which input each output of a nearest-neighbour resize copies. */
export function nearestPositions(grid: ResizeGrid): number[] {
  const { inputs, outputs, alignCorners, halfPixelCenters } = grid;
  const ratio = ratioOf(grid);
  return Array.from({ length: outputs }, (_, output) => {
    const position = ratio * (halfPixelCenters ? output + 0.5 : output);
    return Math.max(0, Math.min(inputs - 1, alignCorners ? Math.round(position) : Math.floor(position)));
  });
}
