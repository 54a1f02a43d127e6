import { argMax, logSumExp } from '../metrics/predictions.js';

/** Averaged class probabilities of a split, with how much the parts disagree. */
export interface Prediction {
  /** Log of the mean over chains and draws of softmax outputs, `[count, classes]`, nats. */
  readonly logProbabilities: Float64Array;
  readonly classes: number;
  /** `posterior`: draws at a temperature above 0; `ensemble`: optimised networks, a point estimate per chain. */
  readonly inference: 'ensemble' | 'posterior';
  /** Share of points on which two draws of one chain differ, averaged over pairs; absent with one draw per chain. */
  readonly disagreementWithin?: number;
  /** The same for draws of different chains; absent with one chain. */
  readonly disagreementBetween?: number;
}

/** Gathers draws of chains one at a time; memory does not grow with their number. */
export interface PredictionAverage {
  /** Adds the logits `[count, classes]` of a draw of the current chain. */
  draw(logits: Float32Array): void;
  endChain(): void;
  result(inference: Prediction['inference']): Prediction;
}

const pairs = (count: number): number => (count * (count - 1)) / 2;
const equalPairs = (votes: Uint32Array): number => votes.reduce((sum, count) => sum + pairs(count), 0);

/**
 * An empty average over `count` points.
 *
 * Disagreement is `chainDisagreement`'s: pairs that agree are counted from votes per class, so that no draw is kept.
 */
export function predictionAverage(count: number, classes: number): PredictionAverage {
  const total = new Float64Array(count * classes);
  const votes = new Uint32Array(count * classes);
  const chainVotes = new Uint32Array(count * classes);
  const lengths: number[] = [];
  let agreeingWithin = 0;
  let draws = 0;
  return {
    draw(logits) {
      for (let start = 0; start < total.length; start += classes) {
        const normaliser = logSumExp(logits, start, classes);
        for (let c = start; c < start + classes; c++) total[c] = (total[c] ?? 0) + Math.exp((logits[c] ?? Number.NaN) - normaliser);
        const best = start + argMax(logits, start, classes);
        votes[best] = (votes[best] ?? 0) + 1;
        chainVotes[best] = (chainVotes[best] ?? 0) + 1;
      }
      draws++;
    },
    endChain() {
      agreeingWithin += equalPairs(chainVotes);
      chainVotes.fill(0);
      lengths.push(draws);
      draws = 0;
    },
    result(inference) {
      const all = lengths.reduce((a, b) => a + b, 0);
      const within = lengths.reduce((sum, length) => sum + pairs(length), 0);
      const between = pairs(all) - within;
      return {
        logProbabilities: total.map((value) => Math.log(value / all)),
        classes,
        inference,
        ...(within === 0 ? {} : { disagreementWithin: 1 - agreeingWithin / (within * count) }),
        ...(between === 0 ? {} : { disagreementBetween: 1 - (equalPairs(votes) - agreeingWithin) / (between * count) }),
      };
    },
  };
}
