import type { MetricSummary } from './results.js';

interface MetricFormat {
  readonly label: string;
  readonly unit: string;
  readonly factor: number;
  readonly digits: number;
}

const percent = (label: string): MetricFormat => ({ label, unit: '%', factor: 100, digits: 1 });
const nats = (label: string): MetricFormat => ({ label, unit: 'nats', factor: 1, digits: 3 });

const formats: Readonly<Record<string, MetricFormat>> = {
  accuracy: percent('Accuracy'),
  nll: nats('NLL'),
  brier: { label: 'Brier', unit: '', factor: 1, digits: 3 },
  ece: percent('ECE'),
  eceMax: percent('ECE, largest gap'),
  eceRms: percent('ECE, root mean square'),
  adaptiveEce: percent('ECE, equal-size bins'),
  classwiseEce: percent('ECE, classwise'),
  meanSingleModelNll: nats('NLL of single models'),
  predictiveEntropy: nats('Predictive entropy'),
  expectedEntropy: nats('Expected entropy'),
  mutualInformation: nats('Mutual information'),
  disagreementWithin: percent('Disagreement within chains'),
  disagreementBetween: percent('Disagreement between chains'),
  acceptance: percent('Acceptance'),
  legacyAccuracy: percent('Legacy accuracy'),
  legacyNll: nats('Legacy NLL'),
  legacyEce: percent('Legacy ECE'),
};

/** Every metric that has a heading. */
export const metricNames: readonly string[] = Object.keys(formats);

/** The metrics of the main table, in its order. */
export const mainMetrics: readonly string[] = ['accuracy', 'nll', 'brier', 'ece'];

/** What a metric is called, without its unit. */
export const metricName = (metric: string): string => formatOf(metric).label;

const formatOf = (metric: string): MetricFormat => formats[metric] ?? { label: metric, unit: '', factor: 1, digits: 4 };

/** Heading of a metric's column, with its unit: `Accuracy, %`. */
export function metricLabel(metric: string): string {
  const { label, unit } = formatOf(metric);
  return unit === '' ? label : `${label}, ${unit}`;
}

/** `85.8 ± 0.6`, in the unit of the column; a dash where there is no value. */
export function formatSummary(metric: string, summary: MetricSummary | undefined): string {
  if (summary === undefined) return '–';
  return `${formatValue(metric, summary.mean)} ± ${formatValue(metric, summary.std)}`;
}

/** One value of a metric, in the unit of its column. */
export function formatValue(metric: string, value: number): string {
  const { factor, digits } = formatOf(metric);
  return (value * factor).toFixed(digits);
}

/** A fraction in words: `85.8 %`. */
export const formatPercent = (fraction: number): string => `${(100 * fraction).toFixed(1)} %`;
