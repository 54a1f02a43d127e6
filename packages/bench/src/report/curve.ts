import type { ResultRow } from './results.js';

/** One seed's course of learning. */
export interface LearningCurve {
  readonly seed: number;
  readonly points: readonly {
    readonly step: number;
    /** The divergence estimate. */
    readonly value?: number;
    /** Of one chain, a fraction. */
    readonly validationAccuracy?: number;
    /** Of one chain, nats. */
    readonly validationNll?: number;
  }[];
}

/** What a chart of curves can show. */
export type CurveField = Exclude<keyof LearningCurve['points'][number], 'step'>;

/** Colour of a row: a CSS variable of the page, by kind. */
export const kindColour = (kind: ResultRow['kind']): string => `var(--${kind})`;
