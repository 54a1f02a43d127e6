import { legacyNllAverage } from '../metrics/legacy.js';
import { argMax, logSumExp } from '../metrics/predictions.js';

/** What the figures of a row are of. */
export type Inference = 'ensemble' | 'posterior' | 'point estimates';

/** Averaged class probabilities of a split, with what single draws say and how much they disagree. */
export interface Prediction {
  /** Log of the mean over chains and draws of softmax outputs, `[count, classes]`, nats. */
  readonly logProbabilities: Float64Array;
  readonly classes: number;
  /** `posterior`: draws at a temperature above 0; `ensemble`: optimised networks, a point estimate per chain. */
  readonly inference: Inference;
  /** Mean over points and draws of the entropy of a single draw's prediction, nats. */
  readonly expectedEntropy: number;
  /** Mean over draws of each draw's own negative log-likelihood, nats per point. */
  readonly meanSingleModelNll: number;
  /** Mean over draws of each draw's own accuracy. */
  readonly meanSingleModelAccuracy: number;
  /** `legacyNll` of the draws. */
  readonly legacyNll: number;
  /** Share of points on which two draws of one chain differ, averaged over pairs; absent with one draw per chain. */
  readonly disagreementWithin?: number;
  /** The same for draws of different chains; absent with one chain. */
  readonly disagreementBetween?: number;
  /** Mean acceptance probability of the draws; absent for samplers that reject nothing. */
  readonly acceptance?: number;
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
 * An empty average over points with these labels.
 *
 * Disagreement is `chainDisagreement`'s: pairs that agree are counted from votes per class, so that no draw is kept.
 */
export function predictionAverage(labels: Int32Array, classes: number): PredictionAverage {
  const count = labels.length;
  const total = new Float64Array(count * classes);
  const votes = new Uint32Array(count * classes);
  const chainVotes = new Uint32Array(count * classes);
  const logLikelihoods = new Float64Array(count);
  const legacy = legacyNllAverage(count);
  const lengths: number[] = [];
  let agreeingWithin = 0;
  let draws = 0;
  let entropy = 0;
  let logLikelihood = 0;
  let correct = 0;
  return {
    draw(logits) {
      let drawEntropy = 0;
      let drawLikelihood = 0;
      for (let i = 0, start = 0; i < count; i++, start += classes) {
        const label = labels[i] ?? -1;
        const normaliser = logSumExp(logits, start, classes);
        for (let c = start; c < start + classes; c++) {
          const logP = (logits[c] ?? Number.NaN) - normaliser;
          const p = Math.exp(logP);
          total[c] = (total[c] ?? 0) + p;
          // At p = 0 the product would be 0 · −∞.
          if (p > 0) drawEntropy -= p * logP;
        }
        const own = (logits[start + label] ?? Number.NaN) - normaliser;
        logLikelihoods[i] = own;
        drawLikelihood += own;
        const best = argMax(logits, start, classes);
        if (best === label) correct++;
        votes[start + best] = (votes[start + best] ?? 0) + 1;
        chainVotes[start + best] = (chainVotes[start + best] ?? 0) + 1;
      }
      entropy += drawEntropy;
      logLikelihood += drawLikelihood;
      legacy.draw(logLikelihoods);
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
        expectedEntropy: entropy / all / count,
        meanSingleModelNll: -logLikelihood / all / count,
        meanSingleModelAccuracy: correct / all / count,
        legacyNll: legacy.result(),
        ...(within === 0 ? {} : { disagreementWithin: 1 - agreeingWithin / (within * count) }),
        ...(between === 0 ? {} : { disagreementBetween: 1 - (equalPairs(votes) - agreeingWithin) / (between * count) }),
      };
    },
  };
}
