import {
  accuracy,
  adaptiveEce,
  auroc,
  averagePrecision,
  bmaProbabilities,
  brier,
  classwiseEce,
  ece,
  entropyDecomposition,
  fitTemperature,
  legacyEce,
  legacyNll,
  meanSingleModelNll,
  nll,
  oodDetection,
  oodScores,
  reliabilityBins,
} from '@bpc/bench';
import { describe, expect, it } from 'vitest';
import { loadFixture } from '../../../tooling/fixtures/load.js';

const fixture = loadFixture('metrics');

function models(name: string): Float64Array[] {
  const [count = 0, points = 0, classes = 0] = fixture.entries[name]?.shape ?? [];
  const data = Float64Array.from(fixture.values(name));
  return Array.from({ length: count }, (_, k) => data.subarray(k * points * classes, (k + 1) * points * classes));
}

const labels = fixture.values('labels');
const logits = models('logits');
const p = bmaProbabilities(logits, 10);
const bins = reliabilityBins(p, labels, 15);
const entropies = entropyDecomposition(logits, 10);
const temperature = fitTemperature(logits[0] ?? new Float64Array(), labels);
const classwise = classwiseEce(p, labels, 15);
const ties = { scores: fixture.values('ties/scores'), labels: fixture.values('ties/labels') };
const inside = oodScores(logits, 10);
const outside = oodScores(models('ood_logits'), 10);
const detection = {
  max_probability: oodDetection(inside.maxProbability, outside.maxProbability),
  entropy: oodDetection(inside.entropy, outside.entropy),
  mutual_information: oodDetection(inside.mutualInformation, outside.mutualInformation),
  energy: oodDetection(inside.energy, outside.energy),
};

const results: Record<string, number | ArrayLike<number>> = {
  bma_probabilities: p,
  accuracy: accuracy(p, labels),
  nll: nll(logits, labels),
  mean_single_model_nll: meanSingleModelNll(logits, labels),
  brier: brier(p, labels),
  ece_l1: ece(p, labels),
  ece_max: ece(p, labels, { norm: 'max' }),
  ece_rms: ece(p, labels, { norm: 'rms' }),
  bin_counts: bins.map((bin) => bin.count),
  bin_accuracy: bins.map((bin) => bin.accuracy),
  bin_confidence: bins.map((bin) => bin.confidence),
  adaptive_ece: adaptiveEce(p, labels),
  classwise_ece: classwise.mean,
  classwise_ece_per_class: classwise.perClass,
  legacy_nll: legacyNll(logits, labels),
  legacy_ece: legacyEce(p, labels),
  predictive_entropy: entropies.predictive,
  expected_entropy: entropies.expected,
  mutual_information: entropies.mutualInformation,
  'ties/auroc': auroc(ties.scores, ties.labels),
  'ties/average_precision': averagePrecision(ties.scores, ties.labels),
  'temperature/optimum': temperature.temperature,
  'temperature/nll': temperature.nll,
};
for (const [score, found] of Object.entries(detection)) {
  results[`ood/${score}/auroc`] = found.auroc;
  results[`ood/${score}/aupr_in`] = found.auprIn;
  results[`ood/${score}/aupr_out`] = found.auprOut;
  results[`ood/${score}/fpr_at_95_tpr`] = found.fprAt95Tpr;
}

describe('metrics match the float64 reference', () => {
  const outputs = Object.entries(fixture.entries).filter(([, { role }]) => role === 'output');

  it('covers every output of the fixture', () => {
    expect(Object.keys(results).sort()).toEqual(outputs.map(([name]) => name).sort());
  });

  it.each(outputs)('%s', (name, { tolerance }) => {
    const found = results[name] ?? [];
    if (tolerance !== undefined) return fixture.expectClose(name, found, 'f64');
    expect(typeof found === 'number' ? [found] : Array.from(found)).toEqual(Array.from(fixture.values(name)));
  });
});
