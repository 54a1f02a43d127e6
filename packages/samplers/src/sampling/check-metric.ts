import { ConfigError, ShapeError } from '@bpc/core';
import { denseMetric, diagonalMetric, type Metric, unitMetric } from '../nuts/metric.js';
import type { MetricKind } from './settings.js';

const KINDS: readonly MetricKind[] = ['unit', 'diagonal', 'dense'];

const isKind = (value: unknown): value is MetricKind => KINDS.some((kind) => kind === value);

/**
 * A kind of metric, or a metric made anew from its numbers, which checks them.
 *
 * @throws ConfigError for anything else; ShapeError for a dense one that is not square.
 */
export function checkMetric(metric: unknown): MetricKind | Metric {
  if (isKind(metric)) return metric;
  const { kind, size, inverseMass }: Readonly<Record<string, unknown>> = typeof metric === 'object' && metric !== null ? { ...metric } : {};
  if (!isKind(kind) || !(inverseMass instanceof Float64Array) || typeof size !== 'number') {
    throw new ConfigError(
      `metric is ${typeof metric === 'string' ? `'${metric}'` : typeof metric}, expected 'unit', 'diagonal', 'dense' or a metric`,
      "write 'diagonal', or pass diagonalMetric(variances) or denseMetric(covariance, size) to keep it as it is",
    );
  }
  if (kind === 'unit') return unitMetric(size);
  if (kind === 'dense') return denseMetric(inverseMass, size);
  return diagonalMetric(inverseMass);
}

/** @throws ShapeError if a given metric is for another number of parameters. */
export function checkMetricSize(metric: MetricKind | Metric, size: number): void {
  if (typeof metric === 'string' || metric.size === size) return;
  throw new ShapeError(
    `the metric is for ${metric.size} unconstrained parameters, expected ${size}`,
    "give it one variance per unconstrained parameter, or write 'diagonal' to have it estimated",
  );
}
