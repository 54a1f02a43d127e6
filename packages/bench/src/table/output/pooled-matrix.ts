import { formatDifference } from '../findings.js';
import type { Comparison } from '../table-results.js';

/** Methods by controls, as texts. */
export interface Matrix {
  readonly metric: string;
  /** Over how many cells. */
  readonly scope: string;
  readonly controls: readonly string[];
  readonly rows: readonly { readonly method: string; readonly texts: readonly string[] }[];
}

const signed = (metric: string, value: number): string => {
  const text = formatDifference(metric, value);
  return value > 0 && Number(text) !== 0 ? `+${text}` : text;
};

/** `+4.2 (2.8 to 5.7) *`: the star means that the adjusted p-value is at most 0.05. */
const text = ({ metric, mean, low, high, holm }: Comparison): string =>
  `${signed(metric, mean)} (${signed(metric, low)} to ${signed(metric, high)})${holm <= 0.05 ? ' *' : ''}`;

/** Methods minus controls for every metric: pooled over cells, or the only cell's. */
export function differenceMatrices(comparisons: readonly Comparison[]): Matrix[] {
  const against = comparisons.filter(({ family }) => family.startsWith('methods against controls'));
  const pooled = against.filter(({ family }) => family.endsWith('pooled'));
  const used = pooled.length > 0 ? pooled : against;
  return [...new Set(used.map(({ metric }) => metric))].map((metric) => {
    const own = used.filter((comparison) => comparison.metric === metric);
    const controls = [...new Set(own.map(({ to }) => to))];
    const find = (method: string, control: string) => own.find(({ of, to }) => of === method && to === control);
    const rows = [...new Set(own.map(({ of }) => of))].map((method) => ({
      method,
      texts: controls.map((control) => {
        const found = find(method, control);
        return found === undefined ? '–' : text(found);
      }),
    }));
    return { metric, scope: own[0]?.scope ?? '', controls, rows };
  });
}

/** What the numbers of a matrix are. */
export const matrixNote =
  'Mean paired difference by seed with its 95 % t-interval (cells count equally; per-cell variances, Welch–Satterthwaite). * adjusted p ≤ 0.05 by Holm over methods × controls. More accuracy and less NLL are better.';
