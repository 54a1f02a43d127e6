import { textTable } from '../../cli/text-table.js';
import { type MetricSummary, summarise } from '../../report/results.js';
import { type Interval, meanInterval } from '../../table/statistics/interval.js';
import type { BenchRow } from '../bench-result.js';

/** Accuracy and negative log-likelihood on the test images. */
export interface PinScore {
  readonly accuracy: number;
  readonly nll: number;
}

/** One run of one side. */
export interface PinRun {
  /** The coreset before and after learning, scored alike. */
  readonly init: PinScore;
  readonly learned: PinScore;
  /** Root mean square of how far pixels moved, in units of normalised images. */
  readonly moved: number;
  /** The learned step size of the inner steps. */
  readonly stepSize: number;
}

/** One figure of a run. */
export interface PinFigure {
  readonly name: string;
  readonly unit: BenchRow['unit'];
  of(run: PinRun): number;
}

/** What is compared: scores before and after learning, what learning gained, and what it did to images and step size. */
export const pinFigures: readonly PinFigure[] = [
  { name: 'accuracy of init', unit: 'fraction', of: ({ init }) => init.accuracy },
  { name: 'NLL of init', unit: 'nats', of: ({ init }) => init.nll },
  { name: 'accuracy of learned', unit: 'fraction', of: ({ learned }) => learned.accuracy },
  { name: 'NLL of learned', unit: 'nats', of: ({ learned }) => learned.nll },
  { name: 'accuracy gained', unit: 'fraction', of: ({ init, learned }) => learned.accuracy - init.accuracy },
  { name: 'NLL gained', unit: 'nats', of: ({ init, learned }) => learned.nll - init.nll },
  { name: 'movement of pixels', unit: 'fraction', of: ({ moved }) => moved },
  { name: 'learned step size', unit: 'fraction', of: ({ stepSize }) => stepSize },
];

/** One figure of both sides. */
export interface PinComparison {
  readonly name: string;
  readonly ours: MetricSummary;
  readonly theirs: MetricSummary;
  /** Ours minus the peer's, seed by seed. */
  readonly difference: Interval;
  /** True if the interval contains 0. */
  readonly agrees: boolean;
}

/**
 * Student's interval of the difference of the two sides, figure by figure. Seeds are paired: both sides start a seed from the
 * same images and share nothing else that is random. Nothing for fewer than two seeds, or without a peer.
 */
export function comparePin(ours: readonly PinRun[], theirs: readonly PinRun[]): PinComparison[] {
  if (theirs.length !== ours.length) return [];
  return pinFigures.flatMap(({ name, of }) => {
    const [mine, peers] = [ours.map(of), theirs.map(of)];
    const difference = meanInterval(mine.map((value, i) => value - (peers[i] ?? Number.NaN)));
    if (difference === undefined) return [];
    const agrees = difference.low <= 0 && difference.high >= 0;
    return [{ name, ours: summarise(mine), theirs: summarise(peers), difference, agrees }];
  });
}

const digits = (value: number): string => value.toFixed(4);
const spread = ({ mean, std }: MetricSummary): string => `${digits(mean)} ± ${digits(std)}`;

/** The table for people: mean ± standard deviation over seeds; a peer that is not there leaves dashes. */
export function renderPin(runs: readonly PinRun[], comparisons: readonly PinComparison[], absent: string | undefined): string {
  const rows = pinFigures.map(({ name, of }) => {
    const found = comparisons.find((each) => each.name === name);
    const mine = spread(summarise(runs.map(of)));
    if (found === undefined) return [name, mine, '-', '-', '-', ''];
    const { mean, low, high } = found.difference;
    return [name, mine, spread(found.theirs), digits(mean), `${digits(low)} to ${digits(high)}`, found.agrees ? 'agrees' : 'differs'];
  });
  const table = textTable(['', 'bpc learn', 'torch', 'difference', '95 % interval', ''], rows);
  return absent === undefined ? `${table}\n\n${runs.length} seeds on either side` : `${table}\n\ntorch: ${absent}`;
}
