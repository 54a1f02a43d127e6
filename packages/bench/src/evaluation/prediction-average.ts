/** Averaged class probabilities of a split, with how much the parts disagree. */
export interface Prediction {
  /** `[count, classes]`, the mean over chains of the mean over draws. */
  readonly probabilities: Float64Array;
  readonly classes: number;
  /** `posterior`: draws at a temperature above 0; `ensemble`: optimised networks, a point estimate per chain. */
  readonly inference: 'ensemble' | 'posterior';
  /** Mean fraction of points where a draw's class differs from its chain's; 0 with one draw per chain. */
  readonly withinChain: number;
  /** Mean fraction of points where a chain's class differs from the average's; 0 with one chain. */
  readonly betweenChains: number;
}

/** Gathers draws of chains one at a time, without keeping more than one chain's classes. */
export interface PredictionAverage {
  /** Adds a draw of the current chain. */
  draw(probabilities: ArrayLike<number>): void;
  endChain(): void;
  result(inference: Prediction['inference']): Prediction;
}

function argMaxRows(rows: ArrayLike<number>, count: number, classes: number): Uint16Array {
  const best = new Uint16Array(count);
  for (let i = 0; i < count; i++) {
    let top = 0;
    for (let c = 1; c < classes; c++) if ((rows[i * classes + c] ?? 0) > (rows[i * classes + top] ?? 0)) top = c;
    best[i] = top;
  }
  return best;
}

function differing(a: Uint16Array, b: Uint16Array): number {
  let count = 0;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) count++;
  return a.length === 0 ? 0 : count / a.length;
}

const meanOf = (values: readonly number[]): number => (values.length === 0 ? 0 : values.reduce((a, b) => a + b, 0) / values.length);

/** An empty average over `count` points. */
export function predictionAverage(count: number, classes: number): PredictionAverage {
  const total = new Float64Array(count * classes);
  const chainClasses: Uint16Array[] = [];
  const within: number[] = [];
  let chain = new Float64Array(count * classes);
  let draws: Uint16Array[] = [];
  return {
    draw(probabilities) {
      for (let i = 0; i < chain.length; i++) chain[i] = (chain[i] ?? 0) + (probabilities[i] ?? 0);
      draws.push(argMaxRows(probabilities, count, classes));
    },
    endChain() {
      const classesOfChain = argMaxRows(chain, count, classes);
      within.push(...draws.map((draw) => differing(draw, classesOfChain)));
      for (let i = 0; i < total.length; i++) total[i] = (total[i] ?? 0) + (chain[i] ?? 0) / draws.length;
      chainClasses.push(classesOfChain);
      chain = new Float64Array(count * classes);
      draws = [];
    },
    result(inference) {
      const probabilities = total.map((value) => value / chainClasses.length);
      const average = argMaxRows(probabilities, count, classes);
      const between = chainClasses.map((classesOfChain) => differing(classesOfChain, average));
      return { probabilities, classes, inference, withinChain: meanOf(within), betweenChains: meanOf(between) };
    },
  };
}
